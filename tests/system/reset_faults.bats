#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # status and output come from run
# stint reset, and whoever is at work is killed, or fails: it is the old instance or the new one, or,
# when it is a keeper, none at all; and nothing else. All of the calls: scripts/kill-sweep reset.
load helper
load reset

setup()
{
	set_up_reset
}

@test "killed at any of its system calls, it is the old one or the new one, and nothing else" {
	local calls i step=${STINT_KILL_STEP-9} killat=$STINT_BUILD/libexec/stint-tests/killat before

	stint up web --name a
	before=$(constant_of a)
	calls=$("$killat" cli 0 -- "$STINT" reset a --no-wait 2>&1 >/dev/null | sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	[ "$calls" -gt 100 ]
	old=0
	new=0
	for ((i = 1; i <= calls; i += step)); do
		dirty a
		"$killat" cli "$i" -- "$STINT" reset a --no-wait >/dev/null 2>&1 3>&- || true
		is_ready() { [ "$(state_of a)" = ready ]; }
		is_one() { is_ready && [ "$(stint exec a -- sh -c "test -e '$I/conf/own' && test -e /tmp/file && test -e /var/tmp/deep/er/file && echo old || echo new" 2>/dev/null)" = "$1" ]; }
		stint sweep
		eventually 10 is_ready
		if is_one old; then
			old=$((old + 1))
			[ "$(stint exec a -- cat "$I/conf/own")" = mine ]
		else
			is_pristine a
			new=$((new + 1))
		fi
		[ "$(constant_of a)" = "$before" ]
		get "$(url_of a)/" >/dev/null
		eventually 5 nothing_is_aside
		eventually 5 has_one_keeper a
	done
	echo "$old old, $new new"
	[ "$old" -gt 5 ] && [ "$new" -gt 1 ]
	stint doctor --leaks
}

# The points of a reset alone.
points()
{
	local list=$BATS_TEST_TMPDIR/points

	stint up web --name listed >/dev/null 2>&1
	STINT_FAULT=list:$list stint reset listed >/dev/null 2>&1
	stint logs listed | sed -n '/point /p' >>"$list"
	stint down listed >/dev/null
	sed -n 's/^point //p' "$list" | sort -u
}

is_settled()
{
	case $(state_of a 2>/dev/null) in
	ready) get -o /dev/null "$(url_of a)/" ;;
	"") nothing_left ;;
	*) return 1 ;;
	esac
}

@test "a step that fails, or in which whoever is at work is killed, leaves the old, the new, or nothing" {
	local point fault status

	mapfile -t all < <(points)
	printf '%s\n' "${all[@]}"
	[ "${#all[@]}" -gt 25 ]
	for point in "${all[@]}"; do
		for fault in ENOSPC kill; do
			# a new keeper has the fault in it, too
			! stint ls -q | grep -qx a || stint down a --now >/dev/null
			stint up web --name a >/dev/null 2>&1
			status=0
			STINT_FAULT=$point:$fault "$STINT" reset a >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- || status=$?
			echo "$point:$fault: status $status: $(tail -n 1 "$BATS_TEST_TMPDIR/out")"
			[ "$fault" = kill ] || [ "$status" -eq 0 ] ||
				grep -q "$point: a fault on demand" "$BATS_TEST_TMPDIR/out"
			stint sweep >/dev/null
			eventually 15 is_settled
		done
	done
	# and the keeper that gives
	for point in "keeper: kill init" "keeper: init is gone" "keeper: hand over"; do
		! stint ls -q | grep -qx a || stint down a --now >/dev/null
		STINT_FAULT=$point:kill stint up web --name a >/dev/null 2>&1
		refused 5 "cannot reset 'a': its keeper went away meanwhile" reset a
		stint sweep
		nothing_left
	done
}
