#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# At every step of a start and an end, everything that can go wrong there: the process that is at
# work is killed or stopped, or the step fails. Nothing is ever left, and a failure names its step.
# The points are those that a start and an end pass (base/fault.h): a new one is tried by itself.
load helper

ERRORS="ENOSPC EMFILE ENOMEM EPERM EINTR ENOBUFS"

# All points, one on a line; those of init are in the log.
points()
{
	local list=$BATS_TEST_TMPDIR/points

	STINT_FAULT=list:$list stint up hello --name listed >/dev/null 2>&1
	stint logs listed >>"$list" 2>/dev/null
	STINT_FAULT=list:$list stint down listed >/dev/null
	sed -n 's/^point //p' "$list" | sort -u
}

is_clean()
{
	[ -z "$(find "$STINT_ROOT"/run/stint/{i,lock} "$STINT_ROOT/var/lib/stint/i" -mindepth 1)" ] &&
		[ -z "$(find "$CONTROLLERS" -type d -path "*/$GROUP*" 2>/dev/null)" ] && [ -z "$(processes_left)" ] &&
		[ "$(sqlite3 "$STINT_ROOT/var/lib/stint/store.db" 'SELECT count(*) FROM instance')" = 0 ]
}

is_clean_when_swept()
{
	stint sweep >/dev/null 2>&1 && is_clean
}

# Where the one who would have removed it is killed, or cannot, it is the sweep's.
cleaner()
{
	case $FAULT:$POINT in
	kill:* | *:undo\ * | *:end:*) echo is_clean_when_swept ;;
	*) echo is_clean ;;
	esac
}

# blame WHAT: shows what was tried, and fails.
blame()
{
	echo "$POINT:$FAULT: $*"
	cat "$BATS_TEST_TMPDIR"/*.err
	return 1
}

# A start and an end with this fault in both.
try_fault()
{
	local up=0 down=0 out=$BATS_TEST_TMPDIR

	STINT_FAULT=$POINT:$FAULT "$STINT" up hello --name x >"$out/up.out" 2>"$out/up.err" || up=$?
	: >"$out/down.err"
	if [ "$up" -eq 0 ]; then
		get -o /dev/null "http://127.0.0.1:$(port_of x)/" || blame "up said that it is ready"
		STINT_FAULT=$POINT:$FAULT "$STINT" down x >"$out/down.out" 2>"$out/down.err" || down=$?
	fi
	case $FAULT:$up:$down in
	kill:*) ;;
	*:0:0) ;;
	*) grep -q "$POINT: a fault on demand" "$out/up.err" "$out/down.err" ||
		blame "status $up and $down, and no word of the step" ;;
	esac
	eventually 10 "$(cleaner)" || blame "this is left: $(stint doctor --leaks; stint ls -a)"
}

@test "a step that fails, whatever the error, is named, and nothing is left" {
	mapfile -t all < <(points)
	[ "${#all[@]}" -gt 40 ]
	failed=0
	for POINT in "${all[@]}"; do
		for FAULT in $ERRORS; do
			try_fault
			[ ! -s "$BATS_TEST_TMPDIR/up.err" ] || grep -q 'fault on demand' "$BATS_TEST_TMPDIR/up.err" &&
				failed=$((failed + 1))
		done
	done
	# most of them do make the start or the end fail
	[ "$failed" -gt 200 ]
}

@test "whoever is killed, at whatever step, nothing is left" {
	FAULT="kill"
	while read -r POINT; do
		try_fault </dev/null
	done < <(points)
	stint doctor --leaks
}

@test "whoever is stopped, at whatever step, is overdue at the deadline, and nothing is left" {
	mapfile -t all < <(points)
	pids=()
	n=0
	for POINT in "${all[@]}"; do
		n=$((n + 1))
		(
			export STINT_FAULT="$POINT:stop"
			timeout -s KILL 8 "$STINT" up hello --name "s$n" --ttl 2s
			timeout -s KILL 8 "$STINT" down "s$n"
		) >/dev/null 2>&1 </dev/null 3>&- &
		pids+=($!)
		[ $((n % 8)) -ne 0 ] || sleep 0.5
	done
	wait "${pids[@]}" || true
	eventually 20 is_clean_when_swept || {
		stint doctor --leaks
		stint ls -a
		return 1
	}
	stint doctor --leaks
}
