#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# stint install canary: a generation is tried by one instance before anybody else gets it.
load helper

setup()
{
	set_up
	L=$STINT_ROOT/live
	PLACE=$STINT_ROOT/var/lib/stint/install/app
	mkdir -p "$L/conf" "$L/lib"
	for i in 1 2 3 4 5 6; do
		head -c 2000 /dev/urandom >"$L/lib/$i.jar"
	done
	echo good >"$L/conf/version"
	server "echo the log of the server; exec sleep 300" "grep -q good '$L/conf/version'"
}

# server COMMAND CHECK: the template t.
server()
{
	template t <<-END
		template: t
		install: $L
		run: {command: [/bin/sh, -c, "$1"]}
		ready: none
		lease: {ttl: 5m, keep_failed: 1m}
		check: {command: [/bin/sh, -c, "$2"], timeout: 20s}
	END
}

# A check that lasts until it is told to go on.
slow_check()
{
	server "exec sleep 300" "until [ -e /tmp/go ]; do sleep 0.02; done; grep -q good '$L/conf/version'"
}

canary()
{
	stint ls -q | grep '^t-'
}

has_canary()
{
	canary >/dev/null
}

go_on()
{
	stint exec "$(canary)" -- touch /tmp/go
}

newest()
{
	stint install show app --json | jq -c '[.newest, .candidate, [.generations[].generation]]'
}

# The install is as the store says, with nothing in between.
is_clean()
{
	[ "$(LC_ALL=C ls "$PLACE")" = "$(stint install show app --json | jq -r '.generations[].generation' | LC_ALL=C sort && echo lock)" ]
	[ "$(stint install show app --json | jq .candidate)" = null ]
	[ -z "$(find "$PLACE" -name candidate)" ]
}

start_canary()
{
	"$STINT" install canary app >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	CANARY=$!
	eventually 10 has_canary
}

@test "a candidate that works is the newest, but not before" {
	stint install add app "$L"
	slow_check
	echo "good two" >"$L/conf/version"
	start_canary
	[ "$(newest)" = '[1,2,[1,2]]' ]
	[[ $(stint install show app) == *"2 (on trial) "*"1 (newest) "* ]]
	[[ $(stint show "$(canary)") == *"generation 2 of 'app'"* ]]
	[ "$(stint exec "$(canary)" -- cat "$L/conf/version")" = "good two" ]
	# who is started meanwhile gets what there was, and nobody else may work on the install
	stint up t --name meanwhile
	[[ $(stint show meanwhile) == *"generation 1 of 'app'"* ]]
	refused 1 "another command is at work on the install 'app'" install adopt app
	stint sweep
	[ "$(newest)" = '[1,2,[1,2]]' ]
	go_on
	wait "$CANARY"
	cat "$BATS_TEST_TMPDIR/out"
	[[ $(cat "$BATS_TEST_TMPDIR/out") == *"generation 2 of app: t was ready after "*" and passed its check; in "* ]]
	[ "$(newest)" = '[2,null,[1,2]]' ]
	[ "$(stint ls -q)" = meanwhile ]
	is_clean
	stint up t --name after
	[[ $(stint show after) == *"generation 2 of 'app'"* ]]
}

@test "a candidate whose check fails goes, with what failed and the end of the log" {
	stint install add app "$L"
	echo bad >"$L/conf/version"
	refused 1 "generation 2 of 'app' was dropped, new instances get generation 1: the check of 't' failed with status 1" \
		install canary app
	[[ $output == *"| the log of the server"* ]]
	[ "$(newest)" = '[1,null,[1]]' ]
	is_clean
	no_instances
	[ -z "$(stint ls -aq)" ]
	stint up t --name one
	[ "$(stint exec one -- cat "$L/conf/version")" = good ]
	# the number is free again
	echo good >"$L/conf/version"
	[ "$(stint install canary app --json 2>/dev/null | jq -c '[.generation, .backend, .files]')" = '[2,"copy",7]' ]
}

@test "a candidate on which nothing gets ready goes" {
	stint install add app "$L"
	server "echo it cannot start; exit 3" true
	sed -i 's/ready: none/ready: {log: never}/' "$STINT_ROOT/etc/stint/templates/t.yaml"
	refused 1 "generation 2 of 'app' was dropped, new instances get generation 1: 't-" install canary app
	[[ $output == *"| it cannot start"* ]]
	[[ $output == *"ended before it was ready: server exited with status 3"* ]]
	[ "$(newest)" = '[1,null,[1]]' ]
	is_clean
	[ -z "$(stint ls -aq)" ]
}

@test "a check that lasts too long, and one that is interrupted" {
	stint install add app "$L"
	slow_check
	sed -i 's/timeout: 20s/timeout: 1s/' "$STINT_ROOT/etc/stint/templates/t.yaml"
	refused 1 "the check of 't' did not end in its time" install canary app
	sed -i 's/timeout: 1s/timeout: 60s/' "$STINT_ROOT/etc/stint/templates/t.yaml"
	start_canary
	eventually 5 stint exec "$(canary)" -- pgrep -f 'until' >/dev/null
	kill -INT "$CANARY"
	wait "$CANARY" && false || [ $? -eq 1 ]
	cat "$BATS_TEST_TMPDIR/out"
	[[ $(cat "$BATS_TEST_TMPDIR/out") == *"was dropped, new instances get generation 1: interrupted"* ]]
	[ "$(newest)" = '[1,null,[1]]' ]
	is_clean
	no_instances
}

@test "which template tries it" {
	stint install add app "$L"
	rm "$STINT_ROOT/etc/stint/templates/t.yaml"
	refused 3 "no template uses the install 'app'" install canary app
	template wrong <<<"{template: wrong, install: $L, nosuch: 1}"
	refused 3 "'wrong' cannot be read: " install canary app
	rm "$STINT_ROOT/etc/stint/templates/wrong.yaml"
	slow_check
	sed 's/template: t/template: other/' "$STINT_ROOT/etc/stint/templates/t.yaml" | template other
	refused 2 "several templates use the install 'app': other, t; name one" install canary app
	template none <<<'{template: none, run: {command: [/bin/true]}}'
	refused 2 "the template 'none' does not use the install 'app'" install canary app none
	refused 3 "nosuch" install canary app nosuch
	refused 3 "no install 'nothing'" install canary nothing
	[ "$(newest)" = '[1,null,[1]]' ]
	# by the name of the install as well, and one without a check is tried by being ready
	template other <<-END
		template: other
		install: app
		run: {command: [/bin/sleep, '300']}
		ready: none
	END
	[[ $(stint install canary app other) == *"other was ready after "*", and has no check; in "* ]]
	[ "$(newest)" = '[2,null,[1,2]]' ]
}

@test "from live directories to generations" {
	stint install live app "$L"
	echo bad >"$L/conf/version"
	refused 1 "new instances get the live directories: the check of 't' failed" install canary app
	[ "$(stint install show app --json | jq -c '[.mode, .newest]')" = '["live",0]' ]
	echo good >"$L/conf/version"
	stint install canary app
	[ "$(stint install show app --json | jq -c '[.mode, .newest]')" = '["generations",1]' ]
	stint up t --name one
	echo bad >"$L/conf/version"
	[ "$(stint exec one -- cat "$L/conf/version")" = good ]
}

@test "killed while it tries: the old state, and a sweep leaves nothing in between" {
	stint install add app "$L"
	slow_check
	start_canary
	kill -KILL "$CANARY"
	wait "$CANARY" || true
	stint sweep
	[ "$(newest)" = '[1,null,[1]]' ]
	is_clean
	no_instances
	# a store that is lost as well
	start_canary
	kill -KILL "$CANARY"
	wait "$CANARY" || true
	rm -f "$STINT_ROOT"/var/lib/stint/store.db*
	stint sweep
	[ "$(newest)" = '[1,null,[1]]' ]
	stint sweep
	is_clean
	# without a sweep, the next takes its place
	start_canary
	kill -KILL "$CANARY"
	wait "$CANARY" || true
	eventually 10 no_instances
	[ "$(stint install adopt app)" = "app: nothing has changed since generation 1" ]
	[ "$(newest)" = '[1,null,[1]]' ]
	is_clean
	start_canary
	kill -KILL "$CANARY"
	wait "$CANARY" || true
	eventually 10 no_instances
	echo "good two" >"$L/conf/version"
	stint install adopt app
	[ "$(newest)" = '[2,null,[1,2]]' ]
}

@test "killed at any moment, there is the old state or the new one" {
	local delay before after

	stint install add app "$L"
	for delay in 0.01 0.02 0.03 0.04 0.05 0.06 0.07 0.08 0.09 0.1 0.12 0.14 0.17 0.2 0.25; do
		before=$(stint install show app --json | jq .newest)
		timeout --foreground -s KILL $delay "$STINT" install canary app 3>&- >/dev/null 2>&1 || true
		stint sweep
		after=$(stint install show app --json | jq .newest)
		[ "$after" -eq "$before" ] || [ "$after" -eq $((before + 1)) ]
		is_clean
		no_instances
	done
	stint install canary app
}
