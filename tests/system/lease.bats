#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What ends an instance beside its deadline, and what happens before and instead of that.

load helper

# lease NAME TEXT: a template of hello's with these lines below "lease:".
lease()
{
	printf 'template: %s\nextends: hello\nlease:\n%s\n' "$1" "$2" \
		>"$STINT_ROOT/etc/stint/templates/$1.yaml"
}

is_gone()
{
	! stint show "$1" >/dev/null 2>&1
}

reason_of()
{
	stint history "$1" --json | jq -r '.[0].reason'
}

@test "an instance that nobody uses ends, with that reason" {
	stint up hello --name web --idle 1s
	[ "$(stint show web --json | jq -c '[.idle_seconds, .idle_set_by]')" = '[1,"option"]' ]
	[ "$(stint show web --json | jq '.unused_seconds < 1')" = true ]
	[[ $(stint show web) == *"ends after 1s without use, set on the command line"* ]]
	eventually 5 is_gone web
	[ "$(reason_of web)" = "idle for 1s" ]
}

@test "an open connection, a command inside and touch are use" {
	stint up hello --name web --idle 2s
	port=$(port_of web)
	# a connection that says nothing
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	sleep 3
	[ "$(state_of web)" = ready ]
	stint show web | grep -q 'in use now'
	exec 7>&-
	stint exec web -- sleep 3
	[ "$(state_of web)" = ready ]
	for _ in 1 2 3; do
		sleep 1
		stint touch web
	done
	[ "$(state_of web)" = ready ]
	eventually 5 is_gone web
	[ "$(reason_of web)" = "idle for 2s" ]
}

@test "the idle rule of a template does not shorten what was asked for" {
	lease short "  idle: 1s"
	stint up short --name asked --ttl 1m
	[ "$(stint show asked --json | jq .idle_seconds)" = null ]
	[[ $(stint touch asked) == "asked does not end for want of use; it ends in "* ]]
	stint up short --name both --ttl 1m --idle 2s
	[ "$(stint show both --json | jq .idle_seconds)" -eq 2 ]
	stint up short --name never --idle none
	stint up short --name default
	[[ $(stint show default) == *"ends after 1s without use, from the template"* ]]
	eventually 6 is_gone both
	is_gone default
	[ "$(state_of asked)" = ready ]
	[ "$(state_of never)" = ready ]
	for wrong in soon 0 -1m; do
		refused 2 "--idle: '$wrong' is no such time" up short "--idle=$wrong"
	done
}

@test "more time is proposed only where it may be had" {
	lease short "  warn: {before: 50s}
  ttl: 1m
  max: 2m"
	lease long "  warn: {before: 50s}
  ttl: 1m
  max: 2h"
	warned() { [ "$(stint show "$1" --json | jq .warned)" = true ]; }
	stint up short --name s --ttl 51s
	eventually 5 warned s
	[[ $(stint ls) == *"soon over: s; no lease of theirs may be longer"* ]]
	refused 5 "maximum of 2m" extend s +30m
	stint up long --name l --ttl 51s
	eventually 5 warned l
	[[ $(stint ls) == *"soon over: "*"; 'stint extend NAME +30m' gives more time"* ]]
	stint extend l +30m
}

@test "before the end there are warnings in the log, the list, inside and on the host" {
	told=$(mktemp /tmp/stint-hook.XXXXXX)
	chmod 666 "$told"
	lease warned "  warn:
    before: [50s, 40s]
    file: /tmp/left
    command: [sh, -c, 'echo \$\$STINT_SECONDS_LEFT >/tmp/command']
    hook: [/bin/sh, -c, 'echo \"\$\$STINT_NAME \$\$STINT_SECONDS_LEFT \$\$(id -u)\" >>$told']"
	SUDO_UID=$(id -u nobody) stint up warned --name web --ttl 51s
	[ "$(stint show web --json | jq .warned)" = false ]
	warned() { [ "$(stint show web --json | jq .warned)" = true ]; }
	eventually 5 warned
	[[ $(stint ls) == *"soon over: web;"* ]]
	[[ $(stint logs web 2>&1) == *"stint: this instance ends in 50s"* ]]
	[ "$(stint exec web -- cat /tmp/left)" = 50 ]
	written() { [ "$(stint exec web -- cat /tmp/command)" = 50 ]; }
	eventually 5 written
	called() { [ "$(cat "$told")" = "web 50 $(id -u nobody)" ]; }
	eventually 5 called
	: >"$told"
	# more time takes it back, and the next warning is given anew
	stint extend web +30s
	[ "$(stint show web --json | jq .warned)" = false ]
	[[ $(stint ls) != *"soon over"* ]]
	[ "$(stint exec web -- cat /tmp/left)" -gt 70 ]
	stint extend web --until "$(date -d '+45 seconds' +%FT%T)"
	eventually 5 warned
	[[ $(stint logs web 2>&1) == *"stint: this instance ends in 4"*s* ]]
	eventually 5 grep -q '^web 4' "$told"
	rm "$told"
}

@test "a file that the server's user cannot write is not written, whatever lies there" {
	lease trap $'  warn: {before: [59s], file: /tmp/left}\nrun: {user: nobody, command: [sleep, 1m]}\nready: none'
	stint up trap --name web --ttl 1m
	stint exec web -- ln -s /etc/passwd /tmp/left
	before=$(stint exec web -- cat /etc/passwd)
	warned() { [ "$(stint show web --json | jq .warned)" = true ]; }
	eventually 5 warned
	sleep 0.2
	[ "$(stint exec web -- cat /etc/passwd)" = "$before" ]
	[ "$(state_of web)" = ready ]
}

@test "on_expiry freeze: it stays as it is, goes on when extended, and ends after the second lease" {
	lease cold $'  on_expiry: freeze\n  frozen: 2s'
	stint up cold --name web --ttl 1s
	port=$(port_of web)
	frozen() { [ "$(state_of web)" = frozen ]; }
	eventually 5 frozen
	run get --max-time 0.5 "http://127.0.0.1:$port/"
	[ "$status" -ne 0 ]
	run stint exec web -- true
	[ "$status" -ne 0 ]
	[[ $output == *"the instance is frozen"* ]]
	run stint touch web
	[[ $output == *"its time is over"* ]]
	stint extend web +2s
	[ "$(state_of web)" = ready ]
	get "http://127.0.0.1:$port/" >/dev/null
	eventually 5 frozen
	eventually 5 is_gone web
	[ "$(reason_of web)" = expired ]
}

@test "a frozen instance is ended by down, and by a sweep when its keeper is lost" {
	lease cold $'  on_expiry: freeze\n  frozen: 1h\n  idle: 1s'
	for name in web lost; do
		stint up cold --name "$name"
	done
	frozen() { [ "$(state_of web)$(state_of lost)" = frozenfrozen ]; }
	eventually 5 frozen
	stint touch web
	[ "$(state_of web)" = ready ]
	web_frozen() { [ "$(state_of web)" = frozen ]; }
	eventually 5 web_frozen
	started=$(date +%s)
	stint down web
	[ $(($(date +%s) - started)) -le 5 ]
	kill -KILL "$(processes_of stint-keeper lost | head -n 1)"
	stint sweep
	[ "$(stint ls)" = "no instances" ]
}

@test "an instance that a command is tied to is in use for as long as that lives" {
	lease short '  idle: 1s'
	stint run short -- sleep 3
	[ "$(reason_of "$(stint history --json | jq -r '.[0].name')")" = "its command has ended" ]
}
