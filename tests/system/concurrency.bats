#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

@test "20 at the same moment all work, with 20 names and 20 ports" {
	for i in {1..20}; do
		"$STINT" up hello --json >"$STINT_ROOT/out.$i" 2>/dev/null 3>&- &
	done
	wait
	[ "$(cat "$STINT_ROOT"/out.* | jq -r .name | sort -u | wc -l)" -eq 20 ]
	[ "$(cat "$STINT_ROOT"/out.* | jq -r '.ports[0].port' | sort -u | wc -l)" -eq 20 ]
	[ "$(stint ls --json | jq 'map(select(.state == "ready")) | length')" -eq 20 ]
	[ "$(stint ls --json | jq -r '.[].address' | sort -u | wc -l)" -eq 20 ]
	for port in $(stint ls --json | jq -r '.[].ports[0].port'); do
		get "http://127.0.0.1:$port/" >/dev/null
	done
	stint down --all
	[ "$(stint ls)" = "no instances" ]
}

@test "of 20 with the same name one works and the others exit 4" {
	for i in {1..20}; do
		{
			status=0
			"$STINT" up hello --name same >/dev/null 2>&1 || status=$?
			echo $status >"$STINT_ROOT/status.$i"
		} 3>&- &
	done
	wait
	[ "$(grep -lx 0 "$STINT_ROOT"/status.* | wc -l)" -eq 1 ]
	[ "$(grep -lx 4 "$STINT_ROOT"/status.* | wc -l)" -eq 19 ]
	[ "$(stint ls -q)" = same ]
}

@test "down of the same instance twice at once leaves nothing" {
	stint up hello --name d
	for _ in 1 2 3 4; do
		"$STINT" down d >/dev/null 2>&1 3>&- &
	done
	wait
	[ "$(stint ls)" = "no instances" ]
	leftovers
	[ -z "$(leftovers)" ]
}
