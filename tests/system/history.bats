#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the history knows of an instance that has ended, and how it is kept small.
load helper

# fact NAME KEY: of the newest instance of that name
fact()
{
	stint history "$1" --json | jq -r ".[0].$2"
}

@test "an entry says who started what, when, where, and what it came to" {
	local id

	payload p "[$PROBE/bin/probe, alloc, '50000000', spin, '0.5', fill, $PROBE/big, '3000000',
		print, up, print, last, exit, '3']" 'ready: {log: up}'
	stint zone add z
	run stint run p --name w --zone z
	[ "$status" -eq 3 ]
	[ "$(fact w template)" = p ]
	[ "$(fact w owner)" = root ]
	[ "$(fact w zone)" = z ]
	[ "$(fact w exit_status)" = 3 ]
	[ "$(fact w exit_signal)" = null ]
	[ "$(fact w restarts)" = 0 ]
	# a busy host gives less than was asked for, and ten times what a server that sleeps takes
	[ "$(fact w 'cpu_seconds > 0.02')" = true ]
	[ "$(fact w 'cpu_seconds < 60')" = true ]
	[ "$(fact w disk_bytes)" -ge 3000000 ]
	[ "$(fact w disk_bytes)" -le 5000000 ]
	[ "$(fact w log)" = $'allocated 50000000\nup\nlast' ]
	[ "$(fact w 'created <= "'"$(date -u +%FT%TZ)"'"')" = true ]
	# by its id as well, and in full for people
	id=$(fact w id)
	[ "$(stint history "$id" --json | jq length)" -eq 1 ]
	run stint history "$id"
	for word in "name      w" "id        $id" "template  p" "owner     root" "zone      z" \
		"server exited with status 3" "status    3" " at most" "cpu time" "left at its end" \
		"  | last"; do
		[[ $output == *"$word"* ]]
	done
	[ "$(wc -L <<<"$output")" -le 80 ]
	stint zone rm z
}

@test "the most memory is that of the server's group" {
	payload p "[$PROBE/bin/probe, alloc, '50000000', exit, '0']" 'ready: none'
	stint run p --name m
	[ "$(fact m memory_peak_bytes)" != null ] || skip "this kernel keeps no peak"
	[ "$(fact m memory_peak_bytes)" -ge 50000000 ]
	[ "$(fact m memory_peak_bytes)" -le 80000000 ]
}

@test "what went through the ports outlives the keeper, and its counts of nothing are zero" {
	stint up hello --name c
	get "http://127.0.0.1:$(port_of c)/big/100000" >/dev/null
	get "http://127.0.0.1:$(port_of c)/" >/dev/null
	stint down c
	[ "$(fact c connections_total)" -eq 2 ]
	[ "$(fact c bytes_in)" -gt 100 ]
	[ "$(fact c bytes_out)" -gt 100000 ]
	[ "$(fact c ready_after_seconds)" != null ]
	[[ $(stint history c) == *"2 connections; "* ]]
	payload p "[$PROBE/bin/probe, exit, '0']" 'ready: none'
	stint run p --name n
	[ "$(fact n connections_total)" -eq 0 ]
	[ "$(fact n log)" = null ]
}

@test "of a killed keeper's instance the rest is unknown, and says so" {
	stint up hello --name k
	get "http://127.0.0.1:$(port_of k)/" >/dev/null
	kill_process stint-keeper k
	no_instances
	[ "$(reason_of k)" = "keeper lost" ]
	[ "$(fact k exit_status)" = null ]
	[ "$(fact k connections_total)" = null ]
	[ "$(fact k 'cpu_seconds > 0')" = true ]
	[ "$(fact k 'ready_after_seconds > 0')" = true ]
	[[ $(fact k log) == *"listening on port"* ]]
	[[ $(stint history k) == *"ports     unknown"* ]]
}

@test "with a disk limit all that was written counts, wherever it was" {
	payload p "[$PROBE/bin/probe, fill, /tmp/big, '5000000', exit, '0']" 'ready: none'
	stint run p --name d --disk 32M
	[ "$(fact d disk_bytes)" -ge 5000000 ]
	[ "$(fact d disk_bytes)" -le 8000000 ]
}

@test "restarts are counted" {
	payload p "[$PROBE/bin/probe, exit, '3']" 'ready: none'
	sed -i 's/^run:/run:\n  restart: on-failure/' "$STINT_ROOT/etc/stint/templates/p.yaml"
	run stint run p --name r
	[ "$(fact r restarts)" -ge 1 ]
	[[ $(stint history r) == *"restarts  $(fact r restarts)"* ]]
}

@test "the last lines are bounded, and nothing in them steers a terminal" {
	local log

	payload p "[/bin/sh, -c, \"i=0; while [ \$i -lt 50 ]; do i=\$((i+1)); echo line \$i; done;
		printf 'a\\\\033[2Jb\\\\n'\"]" 'ready: none'
	stint run p --name l >/dev/null
	log=$(fact l log)
	[ "$(wc -l <<<"$log")" -eq 10 ]
	[ "$(head -n 1 <<<"$log")" = "line 42" ]
	[ "$(tail -n 1 <<<"$log")" = 'a\x1b[2Jb' ]
	run ! grep -q $'\033\[2J' <(stint history l)
	payload q "[$PROBE/bin/probe, longline, '100000']" 'ready: none'
	stint run q --name q >/dev/null
	[ "$(fact q log | wc -c)" -le 4097 ]
	[ "$(fact q log | wc -c)" -ge 3000 ]
}

@test "history NAME is the newest of that name, -n and --long have more" {
	local i

	for i in 1 2 3; do
		stint up hello --name a --no-wait
		stint down a --now
	done
	stint up hello --name b --no-wait
	stint down b --now
	[ "$(stint history a | grep -c '^name')" -eq 1 ]
	[[ $(stint history a) == *"older ones: stint history a --long"* ]]
	[ "$(stint history a -n 2 | grep -c '^name')" -eq 2 ]
	[ "$(stint history a --long | grep -c '^name')" -eq 3 ]
	[[ $(stint history a --long) != *"older ones"* ]]
	[ "$(stint history --long | grep -c '^name')" -eq 4 ]
	[ "$(stint history -n 2 | wc -l)" -eq 3 ]
	[ "$(stint history -n 2 --json | jq length)" -eq 2 ]
	[ "$(stint history a --json | jq length)" -eq 3 ]
	refused 3 "stint: no instance 'nobody' has ended" history nobody
	[ "$(stint history nobody --json 2>/dev/null)" = "[]" ]
	stint up hello --name live --no-wait
	refused 3 "'live' has not ended, nor has one of that name before; see 'stint show live'" \
		history live
	refused 2 "no number" history -n x
}

@test "who asks for an instance by its name after its end is told of it" {
	local word

	stint up hello --name short --no-wait
	stint down short --now
	for word in show logs diff; do
		refused 3 "no instance 'short' any more: it ended " "$word" short
		[[ $output == *", stopped by root; see 'stint history short'" ]]
	done
	refused 125 "no instance 'short' any more: it ended " exec short -- true
	refused 3 "no instance 'nobody'" show nobody
	[[ $output != *"any more"* ]]
}

@test "prune removes what is older, or all but the newest" {
	local i

	for i in 1 2 3 4 5; do
		stint up hello --name "p$i" --no-wait
		stint down "p$i" --now
	done
	[ "$(stint history --prune --older-than 1h)" = "0 removed" ]
	[ "$(stint history --prune --keep 3 --json | jq .removed)" -eq 2 ]
	[ "$(stint history --json | jq -c '[.[].name]')" = '["p5","p4","p3"]' ]
	sleep 5
	stint up hello --name new --no-wait
	stint down new --now
	[ "$(stint history --prune --older-than 4s)" = "3 removed" ]
	[ "$(stint history --json | jq -c '[.[].name]')" = '["new"]' ]
	refused 2 "say what is to go" history --prune
	refused 2 "say what is to go" history p5 --prune --keep 1
	refused 2 "go with --prune" history --keep 1
	refused 2 "--older-than: 'soon' is no such time" history --prune --older-than soon
	[ "$(stint history --json | jq length)" -eq 1 ]
}

# Starts an instance that fails because of that target of a file: fails NAME TARGET
fails()
{
	payload u "[$PROBE/bin/probe, hold]" "files: {\"$2\": {text: hi}}"
	run stint up u --name "$1"
	[ "$status" -ne 0 ]
}

@test "a reason that is cut stays text, in JSON as well, and says that it was cut" {
	local long i

	for ((i = 0; i < 4; i++)); do
		long=$(printf 'x%.0s' $(seq "$i"))$(printf '\303\274%.0s' $(seq 120))
		fails "u$i" "/etc/$long"
		[ "$(stint history "u$i" --json | jq length)" -eq 1 ]
		[[ $(reason_of "u$i") == "failed to start: "*"üüü..." ]]
		[[ $(stint history "u$i") == *"üüü..."* ]]
	done
	[ "$(stint history --json | jq length)" -eq 4 ]
	[[ $(stint events --json | jq -rs '.[] | select(.event == "ended") | .detail') == *"üüü..."* ]]
}

@test "a reason with any bytes is in JSON, and steers no terminal" {
	local db=$STINT_ROOT/var/lib/stint/store.db

	stint up hello --name r --no-wait
	stint down r --now
	sqlite3 "$db" "UPDATE history SET reason = CAST(x'61ff1b5b324a' AS TEXT)"
	[ "$(reason_of r)" = 'a\xff\x1b[2J' ]
	[[ $(stint history) == *'a\xff\x1b[2J' ]]
	[[ $(stint history r) == *'a\xff\x1b[2J'* ]]
}
