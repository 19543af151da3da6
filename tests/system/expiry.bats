#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two hundred leases that end in the same second. The bound is for a host that is busy with other
# tests; scripts/bench-expiry says how long it takes on one that is not.
load helper

EXPIRING=200
[ -z "${STINT_SANITIZED-}" ] && [ "$SLOW" = 1 ] || EXPIRING=20
BOUND=10

# each FIRST LAST COMMAND...: with each instance's name at the end, ten at a time.
each()
{
	local i first=$1 last=$2

	shift 2
	for ((i = first; i <= last; i++)); do
		"$STINT" "${@//NAME/e$i}" >"$STINT_ROOT/out.$i" 2>&1 3>&- &
		[ $((i % 10)) -ne 0 ] || wait
	done
	wait
}

all_gone()
{
	[ -z "$(ls -A "$STINT_ROOT/run/stint/lock")" ] && [ -z "$(processes_left)" ]
}

@test "two hundred leases that end in the same second are gone together, each with its reason" {
	local end tenth=$((EXPIRING / 10))

	# without a grace, which would end them before, one after the other
	payload e "[$PROBE/bin/probe, sleep, '300']"
	sed -i 's/grace: 2s/grace: 0s/' "$STINT_ROOT/etc/stint/templates/e.yaml"
	each 1 $((EXPIRING - tenth)) up e --name NAME
	end=$(($(date +%s) + 12 * SLOW))
	# most follow the wall clock, a tenth does not
	each 1 $((EXPIRING - tenth)) extend NAME --until "$(date -d "@$end" +%Y-%m-%dT%H:%M:%S)"
	each $((EXPIRING - tenth + 1)) "$EXPIRING" up e --name NAME --ttl "$((end - $(date +%s)))s"
	[ "$(date +%s)" -lt "$end" ]
	[ "$(stint ls -q | wc -l)" -eq "$EXPIRING" ]
	# from here on no command of ours, which would help
	while [ "$(date +%s)" -lt "$end" ]; do sleep 0.1; done
	eventually "$BOUND" all_gone
	[ "$(stint history --last 1000 --json | jq -c 'map(.reason) | unique')" = '["expired"]' ]
	[ "$(stint history --last 1000 --json | jq length)" -eq "$EXPIRING" ]
	stint history --last 1000 --json | jq -e "map(.ended | fromdate | . >= $end - 1) | all"
	nothing_left
}
