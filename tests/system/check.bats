#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The template's own proof that its server works.
load helper

@test "check runs the template's command inside, as the server's user, and says how it went" {
	template own <<-YAML
		run: {command: [sleep, infinity], user: nobody}
		ready: none
		check: [sh, -c, 'id -un; hostname; echo to the other >&2']
	YAML
	stint up own --name web
	run --separate-stderr stint check web
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = nobody ]
	[ "${lines[1]}" = "$(stint show web --json | jq -r .id)" ]
	[[ ${lines[2]} == "web works, says its check after "* ]]
	[[ $stderr == *"to the other"* ]]
	stint check web --json | jq -e '.passed and .status == 0 and .seconds < 30 and
		(.output | startswith("nobody\n")) and (.output | contains("to the other"))'
}

@test "a check that fails or takes too long is a failure, and leaves no process inside" {
	template bad <<-YAML
		extends: hello
		check: [sh, -c, 'echo no good; exit 3']
	YAML
	template slow <<-YAML
		extends: hello
		check: {command: [sh, -c, 'echo begun; sleep 4242'], timeout: 1s}
	YAML
	stint up bad --name bad
	refused 1 "the check of 'bad' failed with status 3" check bad
	[[ $output == *"no good"* ]]
	[ "$(stint check bad --json | jq -c '[.passed, .status, .output]')" = '[false,3,"no good\n"]' ]
	stint up slow --name slow
	refused 1 "the check of 'slow' did not end within 1s" check slow
	run --separate-stderr stint check slow --json
	[ "$(jq -c '[.passed, .status, .output]' <<<"$output")" = '[false,-1,"begun\n"]' ]
	alone() { [ -z "$(stint exec slow -- pgrep -f 'sleep 424[2]')" ]; }
	eventually 5 alone
	[ "$(state_of slow)" = ready ]
}

@test "whoever kills a check ends what it runs inside" {
	template long <<-YAML
		extends: hello
		check: [sh, -c, 'sleep 4243']
	YAML
	stint up long --name long
	"$STINT" check long 3>&- &
	checking=$!
	begun() { stint exec long -- pgrep -f 'sleep 424[3]' >/dev/null; }
	over() { [ -z "$(stint exec long -- pgrep -f 'sleep 424[3]')" ]; }
	eventually 5 begun
	kill -KILL "$checking"
	eventually 5 over
	[ "$(state_of long)" = ready ]
}

@test "without a check in its template an instance has none, and an unknown one is not found" {
	template none <<-YAML
		run: {command: [sleep, infinity], user: nobody}
		ready: none
	YAML
	stint up none --name none
	refused 5 "the template 'none' has no check" check none
	refused 3 "no instance 'gone'" check gone
}

@test "the servers that come with it have checks that work" {
	stint up hello --name web
	[[ $(stint check web) == *date*"web works"* ]]
}
