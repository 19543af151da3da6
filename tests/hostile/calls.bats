#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every number of a system call, tried inside: native, as x32 and as a 32-bit call. What the kernel
# answers is what the golden table of the filter says (tests/golden, made by unit/seccomp).
load hostile

GOLDEN=$BATS_TEST_DIRNAME/../golden

set_up_hostile()
{
	INSTALL=$STINT_ROOT/install
	ATTACK=$INSTALL/bin/hostile-probe
	mkdir -p "$INSTALL/bin"
	cp "$HOSTILE" "$ATTACK"
	cp "$GOLDEN"/seccomp-{default,strict} "$INSTALL"
	chown -R "$USER_INSIDE:$USER_INSIDE" "$INSTALL"
}

@test "the server's calls get the answers of the table" {
	hostile h "$USER_INSIDE" sweep "$INSTALL/seccomp-default"
	stint run h
}

@test "those of a server that is root, too" {
	hostile h root sweep "$INSTALL/seccomp-default"
	stint run h
}

@test "commands inside are no exception, not even as root" {
	hostile h "$USER_INSIDE" wait
	stint up h --name h
	stint exec h -- "$ATTACK" sweep "$INSTALL/seccomp-default"
	stint exec h --user 0 -- "$ATTACK" sweep "$INSTALL/seccomp-default"
}

@test "the strict filter has a table of its own" {
	hostile h "$USER_INSIDE" sweep "$INSTALL/seccomp-strict"
	echo 'seccomp: strict' >>"$STINT_ROOT/etc/stint/templates/h.yaml"
	stint run h
}
