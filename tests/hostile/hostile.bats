#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every attempt of hostile-probe, from four places inside: each fails closed, and the host is as it
# was. README.md says which flaw of others each of them stands for.
load hostile

# Answers that are not "denied": none, but for what this host does not have.
assert_all_denied()
{
	local report=$1

	grep -v '^[^ ]* denied ' "$report" || true
	[ "$(wc -l <"$report")" -eq "$(count_of_list)" ]
	run ! grep -q '^[^ ]* \(SUCCEEDED\|reached\) ' "$report"
	run ! grep -q ' absent ' "$report"
}

@test "as the server's user" {
	hostile h "$USER_INSIDE" run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied "$STINT_ROOT/report"
}

@test "as the server's user, where that is root" {
	hostile h root run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied "$STINT_ROOT/report"
}

@test "in exec, as the server's user" {
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied "$STINT_ROOT/report"
}

@test "in exec, as root" {
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h --user 0 -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied "$STINT_ROOT/report"
}
