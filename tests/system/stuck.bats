#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What does not die at once: a process that sleeps in the kernel, ten thousand orphans.
load helper

setup()
{
	set_up
	SILENT=$(mktemp -d /tmp/stint-silent.XXXXXX)
}

teardown()
{
	wake
	clean_up || FAILED=1
	umount -l "$SILENT" 2>/dev/null || true
	rmdir "$SILENT"
	[ -z "${FAILED-}" ]
}

# The file system and all who sleep in it.
wake()
{
	[ -z "${SERVER-}" ] || kill -KILL "$SERVER" 2>/dev/null || true
	umount -l "$SILENT" 2>/dev/null || true
	SERVER=
}

fall_silent()
{
	[ -c /dev/fuse ] || skip "this host has no FUSE"
	"$STINT_BUILD/libexec/stint-tests/silent_fs" "$SILENT" >"$BATS_TEST_TMPDIR/silent" 3>&- &
	SERVER=$!
	mounted() { grep -q mounted "$BATS_TEST_TMPDIR/silent"; }
	eventually 5 mounted
}

@test "a process that sleeps in the kernel is said to be stuck, by name, and holds up nobody" {
	fall_silent
	cat >"$STINT_ROOT/etc/stint/templates/sleeper.yaml" <<EOF
template: sleeper
paths: [$SILENT]
run: {command: [cat, $SILENT/file], user: nobody}
ready: none
EOF
	stint up sleeper --name web --ttl 1h
	run stint down web --now
	[ "$status" -ne 0 ]
	[[ $output == *"process "*" (cat) does not die: it waits in the kernel"* ]]
	[ "$(state_of web)" = stuck ]
	[[ $(stint ls) == *"web "*" stuck "* ]]
	[[ $(stint events web) == *"stuck"*"does not die"* ]]
	# in passing nobody tries again, a sweep does and does not say that all is well
	started=$(date +%s)
	stint up hello --name other
	stint ls >/dev/null
	stint down other
	[ $(($(date +%s) - started)) -le 4 ]
	run stint sweep
	[ "$status" -ne 0 ]
	[ "$(state_of web)" = stuck ]
	wake
	swept() { stint sweep >/dev/null 2>&1; }
	eventually 10 swept
	[ "$(stint ls)" = "no instances" ]
	[[ $(stint history web --json | jq -r '.[0].reason') == "stopped by "* ]]
}

@test "an init that does not listen is the end of its instance, and holds up no keeper" {
	local big pids=

	stint up hello --name web --ttl 1h
	stint up hello --name other
	kill -STOP "$(processes_of stint-init web)"
	big=$(head -c 100000 /dev/zero | tr '\0' x)
	for _ in {1..32}; do
		timeout -s KILL 30 "$STINT" exec web -e "BIG=$big" -- true 3>&- &
		pids+=" $!"
	done
	web_is_gone() { [[ $(stint ls) != *"web "* ]]; }
	eventually 8 web_is_gone
	# shellcheck disable=SC2086 # words
	wait $pids || true
	[ "$(reason_of web)" = "init does not listen any more" ]
	[ "$(state_of other)" = ready ]
}

@test "ten thousand orphans are reaped" {
	stint up hello --name web --pids 12000
	init=$(processes_of stint-init web | head -n 1)
	# each loses its parent at once
	stint exec web -- bash -c '
		mkfifo /tmp/never
		exec 9<>/tmp/never
		for ((i = 0; i < 100; i++)); do
			( for ((j = 0; j < 100; j++)); do ( read -r _ <&9 ) & done ) &
		done'
	children() { wc -w <"/proc/$init/task/$init/children"; }
	born() { [ "$(children)" -gt 10000 ]; }
	eventually 60 born
	stint exec web -- pkill -KILL -x bash
	reaped() { [ "$(children)" -le 3 ]; }
	eventually 3 reaped
	[ "$(get "http://127.0.0.1:$(port_of web)/health/readiness")" = '{"status":"UP"}' ]
}
