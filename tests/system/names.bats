#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Names and published ports: one by one, and many at the same moment.
load helper

# keep_status COMMAND...: the last line that it prints is what the command ended with.
keep_status()
{
	local status=0

	"$@" || status=$?
	echo "status $status"
}

@test "20 at the same moment all work, with 20 names, ports and addresses" {
	local i port

	for i in {1..20}; do
		"$STINT" up hello --json >"$STINT_ROOT/out.$i" 2>"$STINT_ROOT/err.$i" 3>&- &
	done
	wait
	grep -h "^stint: " "$STINT_ROOT"/err.* || true
	[ "$(cat "$STINT_ROOT"/out.* | jq -r .name | sort -u | wc -l)" -eq 20 ]
	[ "$(cat "$STINT_ROOT"/out.* | jq -r '.ports[0].port' | sort -u | wc -l)" -eq 20 ]
	stint ls --json >"$STINT_ROOT/ls"
	[ "$(jq 'map(select(.state == "ready")) | length' "$STINT_ROOT/ls")" -eq 20 ]
	[ "$(jq -r '.[].address' "$STINT_ROOT/ls" | sort -u | wc -l)" -eq 20 ]
	[ "$(jq -r '.[].id' "$STINT_ROOT/ls" | sort -u | wc -l)" -eq 20 ]
	for port in $(jq -r '.[].ports[0].port' "$STINT_ROOT/ls"); do
		get "http://127.0.0.1:$port/" | grep -q "^hello from"
	done
	stint down --all
	nothing_left
}

@test "of 20 with the same name at the same moment one works and the others exit 4" {
	local i

	for i in {1..20}; do
		keep_status "$STINT" up hello --name same >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	[ "$(cat "$STINT_ROOT"/out.* | grep -cx 'status 0')" -eq 1 ]
	[ "$(cat "$STINT_ROOT"/out.* | grep -cx 'status 4')" -eq 19 ]
	[ "$(stint ls -q)" = same ]
	get "http://127.0.0.1:$(port_of same)/" >/dev/null
}

@test "several downs of one instance at the same moment leave nothing" {
	local i

	stint up hello --name d
	for i in 1 2 3 4; do
		keep_status "$STINT" down d >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	cat "$STINT_ROOT"/out.*
	[ "$(cat "$STINT_ROOT"/out.* | grep -cx 'status [03]')" -eq 4 ]
	no_instances
	[ -z "$(leftovers)" ]
	[ "$(stint history d --json | jq length)" -eq 1 ]
}

@test "a name that is made is the template's and a word, and can be told from every other" {
	local i

	for i in {1..12}; do
		stint up hello --json >>"$STINT_ROOT/out" 2>/dev/null
	done
	[ "$(jq -r .name "$STINT_ROOT/out" | grep -Ecx 'hello-[a-z]+(-[0-9]+)?')" -eq 12 ]
	[ "$(jq -r .name "$STINT_ROOT/out" | sort -u | wc -l)" -eq 12 ]
	[ "$(jq -r .id "$STINT_ROOT/out" | grep -Ecx '[0-9a-f]{8}')" -eq 12 ]
}

@test "names are checked before anything is made" {
	local name

	for name in '' 'A' 'a b' '-a' 'a/b' '..' 'a:b' 'ä' "$(printf 'a\nb')" \
		"$(printf 'a%.0s' {1..64})"; do
		refused 2 "is no name" up hello --name "$name"
	done
	[ -z "$(leftovers)" ]
	name=$(printf 'a%.0s' {1..63})
	stint up hello --name "$name"
	[ "$(stint ls -q)" = "$name" ]
	stint up hello --name 0
	stint show 0 >/dev/null
}

@test "a name that is taken is refused with 4 and free again after the end" {
	stint up hello --name same
	id=$(id_of same)
	refused 4 "'same'" up hello --name same
	[ "$(id_of same)" = "$id" ]
	[ "$(state_of same)" = ready ]
	stint down same
	stint up hello --name same
	[ "$(id_of same)" != "$id" ]
	[ "$(stint history same --json | jq length)" -eq 1 ]
}

@test "--recreate by several at once leaves one instance that works" {
	local i

	stint up hello --name again
	for i in 1 2 3 4 5; do
		keep_status "$STINT" up hello --name again --recreate >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	cat "$STINT_ROOT"/out.*
	[ "$(stint ls -q)" = again ]
	# each of them worked, found the name taken, or was itself replaced: nothing else went wrong
	[ "$(cat "$STINT_ROOT"/out.* | grep -c '^status ')" -eq 5 ]
	[ "$(cat "$STINT_ROOT"/out.* | grep '^stint: ' |
		grep -vc "is taken by an instance\|replaced by --recreate")" -eq 0 ]
	get "http://127.0.0.1:$(port_of again)/" >/dev/null
	stint down again
	nothing_left
	refused 2 "--recreate needs --name" up hello --recreate
}

@test "a fixed port goes to one of several at once, the others say that it is in use" {
	local i port

	stint up hello --name probe
	port=$(port_of probe)
	stint down probe
	for i in 1 2 3 4 5; do
		keep_status "$STINT" up hello -p "$port:http" >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	[ "$(cat "$STINT_ROOT"/out.* | grep -cx 'status 0')" -eq 1 ]
	[ "$(cat "$STINT_ROOT"/out.* | grep -cx 'status 1')" -eq 4 ]
	[ "$(cat "$STINT_ROOT"/out.* | grep -c 'in use\|already published')" -eq 4 ]
	[ "$(stint ls -q | wc -l)" -eq 1 ]
	get "http://127.0.0.1:$port/" >/dev/null
}

@test "ports are published where it was said, and nowhere else" {
	payload two "[$PROBE/bin/probe, print, up, tcp-listen, '7001']" \
		$'ports: {first: 7001, second: 7002}\nready: {log: up}'
	stint up two --name all
	[ "$(stint show all --json | jq '.ports | length')" -eq 2 ]
	stint up two --name one -p first
	[ "$(stint show one --json | jq -r '.ports[].name')" = first ]
	stint up two --name other -p 127.0.0.2:0:first || stint up two --name other -p first
	[ "$(stint show all --json | jq -r '.ports[0].address')" = 127.0.0.1 ]
	refused 2 "has no port named 'third'; it has: first, second" up two -p 1:third
	refused 2 "" up two -p 70000:first
	refused 2 "" up two -p x:first
	refused 2 "" up two -p 1:2:3:4:first
}

@test "the server's port is reached through the published one, data whole in both directions" {
	stint up hello --name d
	head -c 3000000 /dev/urandom >"$STINT_ROOT/data"
	[ "$(get "http://127.0.0.1:$(port_of d)/big/5000000" | wc -c)" -eq 5000000 ]
	head -c 60000 "$STINT_ROOT/data" >"$STINT_ROOT/part"
	get --data-binary "@$STINT_ROOT/part" "http://127.0.0.1:$(port_of d)/invoke/hello/echo" >"$STINT_ROOT/back"
	cmp "$STINT_ROOT/part" "$STINT_ROOT/back"
}
