#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# logs: what the server wrote, as it wrote it.
load helper

@test "both streams, and the last lines" {
	payload l "[$PROBE/bin/probe, print, one, error, two, print, three, sleep, '300']" 'ready: {log: three}'
	stint up l --name l
	[ "$(stint logs l 2>/dev/null)" = $'one\nthree' ]
	[ "$(stint logs l 2>&1 >/dev/null)" = two ]
	# the order of what was written to two pipes at once is not known to anybody
	[ "$(stint logs l -n 2 2>&1 | wc -l)" -eq 2 ]
	[[ $(stint logs l --lines 1 2>&1) == t* ]]
	[ -z "$(stint logs l --lines 0 2>&1)" ]
	[ "$(stint logs l --lines 1000 2>&1 | sort)" = $'one\nthree\ntwo' ]
}

@test "--timestamps puts the time in front of each line" {
	payload l "[$PROBE/bin/probe, print, one, sleep, '300']" 'ready: {log: one}'
	before=$(date +%s)
	stint up l --name l
	line=$(stint logs l --timestamps)
	[[ $line =~ ^([0-9T:.+-]+)" "one$ ]]
	at=$(date -d "${BASH_REMATCH[1]}" +%s)
	[ "$at" -ge "$before" ]
	[ "$at" -le "$(date +%s)" ]
}

@test "--follow prints what is added, and ends with the instance" {
	local pid

	stint up hello --name f
	"$STINT" logs f --follow >"$STINT_ROOT/out" 2>&1 3>&- &
	pid=$!
	get -X PUT --data 'text' "http://127.0.0.1:$(port_of f)/flow/followed" >/dev/null
	eventually 5 grep -qs followed "$STINT_ROOT/out"
	kill -0 "$pid"
	stint down f
	ended() { ! kill -0 "$pid" 2>/dev/null; }
	eventually 5 ended
	wait "$pid"
}

@test "--follow ends when its reader goes away" {
	stint up hello --name f
	timeout -s KILL 10 "$STINT" logs f -f | head -n 1
	[ "${PIPESTATUS[0]}" -ne 137 ]
}

@test "bytes are kept in a pipe, and cannot steer a terminal" {
	payload b "[/bin/sh, -c, 'printf \"a\\\\033[2Jb\\\\001\\\\377\\\\n\"; echo end; sleep 300']" 'ready: {log: end}'
	stint up b --name b
	stint logs b | head -n 1 >"$STINT_ROOT/piped"
	printf 'a\033[2Jb\001\377\n' | cmp - "$STINT_ROOT/piped"
	script -qec "$STINT logs b" /dev/null >"$STINT_ROOT/shown"
	run ! grep -q $'\033\\[2J' "$STINT_ROOT/shown"
	grep -q 'a.*b' "$STINT_ROOT/shown"
}

@test "a long line comes through whole, and a talkative server is bounded" {
	payload s "[$PROBE/bin/probe, longline, '300000', print, '', spam, '40000000', print, the-end, sleep, '300']" \
		$'ready: {log: the-end, timeout: 60s}'
	stint up s --name s
	[ "$(stint logs s --lines 1)" = the-end ]
	size=$(stint logs s 2>/dev/null | wc -c)
	[ "$size" -gt 1000000 ]
	[ "$size" -lt 40000000 ]
	kept=$(du -sk "$STINT_ROOT/var/lib/stint/i/$(id_of s)/log" | cut -f1)
	echo "kept on disk: $kept KiB"
	[ "$kept" -le 20480 ]
	payload g "[$PROBE/bin/probe, longline, '300000', print, the-end, sleep, '300']" 'ready: {log: the-end}'
	stint up g --name g
	[ "$(stint logs g | head -n 1 | wc -c)" -ge 300000 ]
}

@test "what is wrong is said" {
	refused 3 "no instance 'nope'" logs nope
	refused 2 "usage: stint logs" logs
	stint up hello --name l
	refused 2 "is no number" logs l --lines many
	refused 2 "is no number" logs l --lines -1
}

@test "--json prints an object for each line" {
	payload j "[$PROBE/bin/probe, print, one, error, two, sleep, '300']" 'ready: {log: two}'
	stint up j --name j
	[ "$(stint logs j --json | jq -r 'select(.stream == "stdout") | .text')" = one ]
	[ "$(stint logs j --json | jq -r 'select(.stream == "stderr") | .text')" = two ]
}
