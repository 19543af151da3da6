#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Leases: --ttl, --until, extend, and the end that they lead to.
load helper

left_of()
{
	stint show "$1" --json | jq '.left_seconds | floor'
}

@test "a lease comes from the command line, else from the template" {
	stint up hello --name t
	stint up hello --name o --ttl 1h30m
	stint up hello --name u --until "$(date -d '+20 minutes' +%Y-%m-%dT%H:%M)"
	[ "$(stint show t --json | jq -r .deadline_set_by)" = template ]
	[ "$(left_of t)" -le 3600 ]
	[ "$(left_of t)" -gt 3500 ]
	[ "$(left_of o)" -le 5400 ]
	[ "$(left_of o)" -gt 5300 ]
	[ "$(left_of u)" -le 1200 ]
	[ "$(left_of u)" -gt 1100 ]
}

@test "extend adds to what is left, and says the new end" {
	stint up hello --name x --ttl 10m
	run stint extend x +1h
	[ "$status" -eq 0 ]
	[[ $output == *"x ends at "*", in 1h 09m"* ]]
	[ "$(stint show x --json | jq -r .deadline_set_by)" = extend ]
	[ "$(left_of x)" -gt 4100 ]
	stint extend x +10m --json | jq -e '.left_seconds > 4700'
	stint extend x --until "$(date -d '+15 minutes' +%Y-%m-%dT%H:%M)"
	[ "$(left_of x)" -le 900 ]
}

@test "an extended instance outlives its first deadline, a shortened one does not" {
	local port

	stint up hello --name longer --ttl 1s
	stint up hello --name shorter --until "$(date -d '+30 minutes' +%Y-%m-%dT%H:%M:%S)"
	stint extend longer +1h
	stint extend shorter --until "$(date -d '+2 seconds' +%Y-%m-%dT%H:%M:%S)"
	port=$(port_of shorter)
	only_longer() { [ "$(stint ls -q)" = longer ]; }
	eventually 4 only_longer
	run ! get "http://127.0.0.1:$port/"
	get "http://127.0.0.1:$(port_of longer)/" >/dev/null
}

@test "a lease never goes beyond the template's maximum" {
	printf 'template: m\nextends: hello\nlease: {ttl: 10m, max: 1h}\n' | template m
	refused 5 "beyond the template's maximum of 1h" up m --ttl 61m
	stint up m --name m
	refused 5 "beyond the template's maximum of 1h" extend m +55m
	[ "$(left_of m)" -le 600 ]
	stint extend m +45m
	refused 5 "beyond" extend m --until "$(date -d '+3 hours' +%Y-%m-%dT%H:%M)"
}

@test "what is wrong is said" {
	stint up hello --name x
	refused 2 "write +30m" extend x 1h
	refused 2 "write +30m" extend x +soon
	refused 2 "say by how much" extend x
	refused 2 "say by how much" extend x +1h --until 18:00
	refused 2 "is no time" extend x --until 25:99
	refused 2 "in the past" extend x --until 2020-01-01T00:00
	refused 3 "no instance 'nope'" extend nope +1h
	refused 2 "--ttl: '0' is over at once; a lease must end in the future" up hello --ttl 0
	refused 2 "--until: '2020-01-01T00:00' is over at once" up hello --until 2020-01-01T00:00
	refused 2 "is no such time" up hello --ttl 5x
	refused 2 "is no such time" up hello --ttl -5m
	refused 2 "--ttl: '99999999999h' is too long; at most 3660d" up hello --ttl 99999999999h
	refused 2 "--ttl: '100000d' is too long; at most 3660d" up hello --ttl 100000d
	refused 2 "--idle: '100000d' is too long; at most 3660d" up hello --idle 100000d
	refused 2 "'+100000d' is too long; at most +3660d" extend x +100000d
}

@test "stopping begins before the deadline, and a server that ignores it is killed at the deadline" {
	local begun

	payload p "[$PROBE/bin/probe, print, up, ignore-term, sleep, '300']" 'ready: {log: up}'
	begun=$(date +%s%N)
	stint up p --name p --ttl 2s
	eventually 4 no_instances
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 3000 ]
	[ "$(stint history p --json | jq -r '.[0].reason')" = expired ]
	[ -z "$(leftovers)" ]
}

@test "a lease that ends while the server starts ends the start" {
	run timeout 10 "$STINT" up hello --name s --ttl 1s -e HELLO_START_SECONDS=60
	[ "$status" -eq 1 ]
	[[ $output == *"expired"* ]]
	nothing_left
}

@test "twenty leases end together and on time" {
	for _ in {1..20}; do
		"$STINT" up hello --ttl 3s >/dev/null 2>&1 3>&- &
	done
	wait
	eventually 5 nothing_left
	[ "$(stint history --json | jq 'map(select(.reason == "expired")) | length')" -eq 20 ]
}
