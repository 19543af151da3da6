#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every attempt of hostile-probe, from four places inside: each fails closed, and the host is as it
# was. README.md says which flaw of others each of them stands for.
load hostile

# What a host may be without: IPv6, and addresses beside the loopback's.
MAY_BE_ABSENT="net-loopback6 net-host-address net-outside"

# Attempts against flaws of old kernels only, which reach them and get nothing.
of_mended_kernels()
{
	"$HOSTILE" list | awk -F '\t' '$3 == "-" { print $1 }'
}

assert_all_denied()
{
	local report=$STINT_ROOT/report name

	grep -v '^[^ ]* denied ' "$report" || true
	[ "$(wc -l <"$report")" -eq "$(count_of_list)" ]
	run ! grep -q '^[^ ]* SUCCEEDED ' "$report"
	[ "$(awk '$2 == "reached" { print $1 }' "$report")" = "$(of_mended_kernels)" ]
	for name in $(awk '$2 == "absent" { print $1 }' "$report"); do
		[[ " $MAY_BE_ABSENT " == *" $name "* ]]
	done
}

@test "as the server's user" {
	hostile h "$USER_INSIDE" run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied
}

@test "as the server's user, where that is root" {
	hostile h root run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied
}

@test "in exec, as the server's user" {
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied
}

@test "in exec, as root" {
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h --user 0 -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied
}
