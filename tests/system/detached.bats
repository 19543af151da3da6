#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Processes that make themselves hard to end: detached from their session, frozen from outside.
load helper

@test "what has detached itself by setsid and a double fork ends with its instance" {
	payload d "[/bin/sh, -c, 'setsid sh -c \"trap : TERM HUP; (sleep 61247 &) ; (sleep 61247 &)\"; echo up; sleep 300']" \
		'ready: {log: up}'
	stint up d --name d
	detached() { [ "$(pgrep -fxc 'sleep 61247')" -eq 2 ]; }
	eventually 3 detached
	stint down d
	run ! pgrep -fx 'sleep 61247'
	nothing_left
}

@test "an instance whose group was frozen from outside is ended" {
	local file

	payload f "[/bin/sh, -c, 'echo up; sleep 300']" 'ready: {log: up}'
	stint up f --name f
	file=$(find "$CONTROLLERS" -path "*/$GROUP/$(id_of f)/server/cgroup.freeze" | head -n 1)
	[ -n "$file" ] || skip "no control groups of version 2"
	echo 1 >"$file"
	frozen() { grep -qx 'frozen 1' "${file%/*}/cgroup.events"; }
	eventually 3 frozen
	stint down f --now
	nothing_left
}
