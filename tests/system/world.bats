#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Everything that the payload can learn about its world, held line by line against tests/golden: as
# the server and in exec, as the server's user and as root inside, and whoever the caller is.
# GOLDEN=write makes the files anew; world.awk says what is not compared, and why.
load helper

GOLDEN_DIRECTORY=$BATS_TEST_DIRNAME/../golden

# A template whose server says what it sees, and waits: reporter NAME USER
reporter()
{
	payload "$1" "[$PROBE/bin/probe, report, print, END-OF-REPORT, sleep, 1000]" \
		'ready: {log: END-OF-REPORT}'
	sed -i "s/^run:/&\n  user: $2/" "$STINT_ROOT/etc/stint/templates/$1.yaml"
}

# What is on standard input, without what this host and this start decide: world_of INSTANCE
world_of()
{
	"$PROBE/bin/probe" report >"$STINT_ROOT/host"
	stint show "$1" --json >"$STINT_ROOT/show"
	LC_ALL=C awk -v install="$PROBE" -v id="$(jq -r .id "$STINT_ROOT/show")" \
		-v address="$(jq -r .address "$STINT_ROOT/show")" \
		-v address6="$(jq -r .address6 "$STINT_ROOT/show")" \
		-v base="$(jq -r .id_base "$STINT_ROOT/show")" \
		-f "$BATS_TEST_DIRNAME/world.awk" "$STINT_ROOT/host" - | LC_ALL=C sort -u
}

world_of_server()
{
	stint logs "$1" | grep -v END-OF-REPORT | world_of "$1"
}

# world_in_exec INSTANCE [OPTION...]
world_in_exec()
{
	stint exec "${@:2}" "$1" -- "$PROBE/bin/probe" report </dev/null | world_of "$1"
}

# Holds a world against its golden file: equals NAME <WORLD
equals()
{
	[ -z "${GOLDEN-}" ] || {
		cat >"$GOLDEN_DIRECTORY/world-$1"
		return
	}
	diff "$GOLDEN_DIRECTORY/world-$1" -
}

# From now on every stint is started by a caller of whom nothing is as usual.
strangely()
{
	stint()
	{
		timeout --foreground -s KILL 100 "$PROBE/bin/probe" strange "$STINT" "$@"
	}
}

# Each place where something runs, of an instance of each kind.
check_worlds()
{
	reporter as-user daemon
	reporter as-root root
	stint up as-user --name u
	stint up as-root --name r
	world_of_server u | equals server
	world_of_server r | equals root
	world_in_exec u | equals exec
	world_in_exec u --user 0 | equals exec-root
}

@test "the world of server and exec, as the user and as root, is the one that is written down" {
	check_worlds
}

@test "nothing that a strange caller has or is changes a line of it" {
	[ -z "${GOLDEN-}" ] || skip "the files are made by a usual caller"
	strangely
	check_worlds
}

@test "lower hard limits of the caller hold inside only where nobody can raise them again" {
	[ -z "${GOLDEN-}" ] || skip "the files are made by a usual caller"
	ulimit -c 0 -f 4000000 -i 300 -l 64 -n 1000 -s 4096 -t 3600 -u 1000
	check_worlds
	stint logs u >"$STINT_ROOT/report"
	grep -x 'rlimit.nofile=\(1000:1000\|65536:524288\)' "$STINT_ROOT/report"
	grep -x 'rlimit.core=[01]:[01]' "$STINT_ROOT/report"
}
