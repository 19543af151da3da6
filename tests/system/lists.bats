#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is printed: ls, show, history, doctor, help, version; for people and as JSON.
load helper

@test "ls is empty, then has each instance with what the issue promises" {
	[ "$(stint ls)" = "no instances" ]
	[ "$(stint ls --json)" = "[]" ]
	[ -z "$(stint ls -q)" ]
	stint up hello --name one --ttl 30m
	stint up hello --name two --no-wait -e HELLO_START_SECONDS=60
	run stint ls
	[[ ${lines[0]} == NAME*TEMPLATE*STATE*OWNER*LEFT*PORTS ]]
	[[ ${lines[1]} =~ ^one\ +hello\ +ready\ +root\ +29m\ [0-9]+s\ +127\.0\.0\.1:$(port_of one)/http$ ]]
	[[ ${lines[2]} =~ ^two\ +hello\ +(creating|starting)\  ]]
	[ "$(stint ls -q)" = $'one\ntwo' ]
	stint ls --json | jq -e 'map(has("name") and has("id") and has("template") and has("state")
		and has("owner") and has("left_seconds") and has("ports")) | all'
	[ "$(stint ls --json | jq -r '.[1].state')" = starting ] || eventually 5 is_state two starting
	[ "$(stint ls --json | jq length)" -eq 2 ]
}

@test "the owner is who called through sudo" {
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody stint up hello --name n
	[ "$(stint ls --json | jq -r '.[0].owner')" = nobody ]
	stint down n
	[ "$(stint history n --json | jq -r '.[0].owner')" = nobody ]
}

@test "show has everything about one instance" {
	stint up hello --name one
	run stint show one
	for word in name id template owner started state until install "$(id_of one)" "ready after" \
		"http://127.0.0.1:$(port_of one)" "5555 inside" "$STINT_BUILD/share/stint/hello"; do
		[[ $output == *"$word"* ]]
	done
	stint show one --json | jq -e '.state == "ready" and .ports[0].name == "http" and .left_seconds > 3000'
	[ "$(stint show one --json | jq -r .plan)" = "$(stint plan hello)" ]
	refused 3 "no instance 'nope'" show nope
	refused 3 "did you mean 'one'" show oen || refused 3 "no instance 'oen'" show oen
	refused 2 "usage: stint show" show
}

@test "the state goes from starting to ready, and down says what it did" {
	stint up hello --name s --no-wait -e HELLO_START_SECONDS=0.5
	eventually 5 is_state s starting
	eventually 5 is_state s ready
	[ "$(stint down s)" = "s is gone" ]
	stint up hello --name a
	stint up hello --name b
	[ "$(stint down --all --json | jq -r '.[].name' | sort)" = $'a\nb' ]
	no_instances
	stint down --all
}

@test "down takes several, goes on after one that does not exist, and exits with 3" {
	stint up hello --name a
	stint up hello --name b
	refused 3 "no instance 'nope'" down a nope b
	no_instances
	refused 2 "name instances, or give --all" down
	refused 2 "name instances, or give --all" down a --all
}

@test "down gives the server its grace, --now does not" {
	local begun

	payload s "[$PROBE/bin/probe, print, up, ignore-term, sleep, '300']" 'ready: {log: up}'
	stint up s --name s
	begun=$(date +%s%N)
	stint down s
	waited=$((($(date +%s%N) - begun) / 1000000))
	[ "$waited" -ge 1900 ]
	[ "$waited" -lt 5000 ]
	stint up s --name s
	begun=$(date +%s%N)
	stint down s --now
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 1500 ]
	# the one that is asked sees the signal that its template names
	payload w "[$PROBE/bin/probe, print, up, wait-term]" 'ready: {log: up}'
	stint up w --name w
	"$STINT" logs -f w >"$STINT_ROOT/log" 3>&- &
	stint down w
	wait
	grep -qx terminated "$STINT_ROOT/log"
}

@test "history says how each instance ended" {
	[ "$(stint history)" = "no instance has ended yet" ]
	stint up hello --name stopped
	stint down stopped
	run stint run hello --name left -- true
	run stint up hello --name failed -e HELLO_EXIT_AFTER=0 -e HELLO_EXIT_STATUS=3
	stint up hello --name expired --ttl 1s
	eventually 4 no_instances
	reason() { stint history "$1" --json | jq -r '.[0].reason'; }
	[ "$(reason stopped)" = "stopped by root" ]
	[ "$(reason left)" = "its command has ended" ]
	[ "$(reason failed)" = "server exited with status 3" ]
	[ "$(reason expired)" = expired ]
	[ "$(stint history failed --json | jq '.[0].exit_status')" -eq 3 ]
	[ "$(stint history --json | jq -r '.[0].name')" = expired ]
	[ "$(stint history | wc -l)" -eq 5 ]
}

@test "every table fits in 80 columns, with a long name and several ports" {
	local long

	long=$(printf 'n%.0s' {1..25})
	payload "p" "[$PROBE/bin/probe, print, up, sleep, '300']" \
		$'ports: {one: 7001, two: 7002}\nready: {log: up}'
	stint up p --name many
	[ "$(stint ls | wc -L)" -le 80 ]
	[ "$(stint show many | wc -L)" -le 80 ]
	stint down many
	stint up hello --name "$long"
	stint up hello --name gone
	stint down gone
	for command in ls "show $long" doctor "template ls" history help version sweep \
		"help up" "help run" "help cp" "help down" "help template" "help exec"; do
		# shellcheck disable=SC2086 # words
		run stint $command
		echo "$command: $(wc -L <<<"$output")"
		[ "$(wc -L <<<"$output")" -le 80 ]
	done
}

@test "every --json is JSON, and nothing else is on standard output" {
	stint up hello --name j --json | jq -e '.name == "j"'
	for command in ls "show j" "diff j" doctor "template ls" "template show hello" \
		"template check hello" history version "plan hello" "plan tomcat" sweep "extend j +1m" \
		"down j"; do
		echo "$command"
		# shellcheck disable=SC2086 # words
		stint $command --json >"$STINT_ROOT/json"
		[ "$(jq -s length "$STINT_ROOT/json")" -eq 1 ]
	done
	for command in up ls show diff doctor history version plan sweep extend down; do
		stint help "$command" | grep -q -- --json
	done
}

@test "doctor says what this host can do, and leaves nothing" {
	stint doctor >"$STINT_ROOT/doctor"
	grep -q "sandboxes can be started" "$STINT_ROOT/doctor"
	run ! grep -q '^missing' "$STINT_ROOT/doctor"
	stint doctor --json | jq -e .
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$STINT" doctor
	[ "$status" -eq 1 ]
	[[ $output == *"missing"*"root"* ]]
}

@test "help has every command, and every command has help" {
	stint help >"$STINT_ROOT/help"
	for command in up run ls show logs exec shell extend cp down diff plan template history events doctor \
		sweep version help; do
		grep -Eq "^ +$command\b" "$STINT_ROOT/help"
		[[ $(stint help "$command") == *"stint $command"* ]]
		[ "$(stint "$command" --help)" = "$(stint help "$command")" ]
	done
	run ! grep -q "^ *reap" "$STINT_ROOT/help"
	refused 2 "did you mean 'up'" help upp || refused 3 "did you mean 'up'" help upp
	[ "$(stint --help)" = "$(stint help)" ]
	[ "$(stint)" = "$(stint help)" ] || refused 2 "" ""
	[[ $(stint version) =~ [0-9]+\.[0-9]+\.[0-9]+ ]]
	[ "$(stint --version)" = "$(stint version)" ]
	stint version --json | jq -e .version
}
