#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each sort of leak is made by hand: the doctor names it, --fix removes it, and a sweep never says
# that all is well while it is there.
load helper
load network

setup()
{
	set_up
	HOST=$(make_netns)
	stint ls >/dev/null
}

teardown()
{
	[ -z "${LOOP-}" ] || losetup -d "$LOOP" 2>/dev/null || true
	umount -l "$STINT_ROOT"/var/lib/stint/i/* 2>/dev/null || true
	[ -z "${STRAY-}" ] || kill -KILL "$STRAY" 2>/dev/null || true
	clean_up || FAILED=1
	kill -KILL "$HOST" 2>/dev/null || true
	[ -z "${FAILED-}" ]
}

V2=$CONTROLLERS/unified
[ -d "$V2" ] || V2=$CONTROLLERS

leaks()
{
	stint doctor --leaks "$@"
}

# A look, for named.
look()
{
	leaks --json >"$BATS_TEST_TMPDIR/found" 2>/dev/null
}

# named SORT NAME: exactly this one.
named()
{
	jq -e --arg sort "$1" --arg name "$2" \
		'[.leaks[] | select(.sort == $sort and .name == $name)] | length == 1' \
		"$BATS_TEST_TMPDIR/found" >/dev/null
}

none()
{
	run -0 leaks
	[[ $output == *"nothing is left behind"* ]]
}

fixed()
{
	run -0 leaks --fix
	none
	[ -z "$(leftovers)" ]
}

@test "nothing, a running instance and one that is just started are no leaks" {
	none
	stint up hello --name a
	stint zone add open --peers allow
	stint up hello --name b --zone open
	[ -n "$(on_host ls /sys/class/net)" ]
	none
	run -0 leaks --fix
	[ "$(state_of a)" = ready ]
	[ "$(state_of b)" = ready ]
	local i
	for i in 1 2 3; do
		"$STINT" up hello --name "s$i" >/dev/null 2>&1 3>&- &
		none
	done
	wait
	stint down --all --now
	stint zone rm open
	none
}

@test "what a killed adoption left is named, counted and removed, and not while one is at work" {
	local depot=$STINT_ROOT/var/lib/stint/install/app

	stint install add app "$STINT_ROOT/etc"
	none
	mkdir -p "$depot/new/files"
	run -1 look
	named directory "$depot/new"
	exec 7<"$depot/lock"
	flock -x 7
	none
	exec 7<&-
	run -0 stint sweep
	[ "$output" = "0 ended, 1 strays removed, 0 left" ]
	[ ! -e "$depot/new" ]
	run -0 stint sweep
	[ "$output" = "nothing to sweep" ]
	mkdir "$depot/new"
	run -0 leaks --fix
	[ ! -e "$depot/new" ]
	none
	stint install rm app
}

@test "another installation's objects are never named" {
	local mine=$STINT_ROOT other
	other=$(mktemp -d /tmp/stint-test.XXXXXX)
	STINT_ROOT=$other stint ls >/dev/null
	mkdir "$other/var/lib/stint/i/a123abcd" "$V2/$(group_of_root "$other")"
	none
	STINT_ROOT=$other run -1 leaks
	[[ $output == *"2 leaks"* ]]
	STINT_ROOT=$other run -0 leaks --fix
	[ ! -e "$V2/$(group_of_root "$other")" ]
	rm -rf "$other"
	[ -d "$mine" ]
}

@test "directories and locks" {
	local run=$STINT_ROOT/run/stint state=$STINT_ROOT/var/lib/stint
	mkdir -p "$state/i/a123abcd/layer" "$run/i/b123abcd" "$run/zone/gone"
	: >"$run/lock/c123abcd"
	perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1)' \
		"$run/i/b123abcd/control"
	[ -S "$run/i/b123abcd/control" ]
	run -1 look
	named directory "$state/i/a123abcd"
	named directory "$run/i/b123abcd"
	named directory "$run/zone/gone"
	named lock "$run/lock/c123abcd"
	fixed
}

@test "what is no instance's is named, and stays: a sweep does not call that clean" {
	mkdir "$STINT_ROOT/var/lib/stint/i/something"
	run -1 leaks --fix
	[[ $output == *"i/something"*"by hand"* ]]
	run -1 stint sweep
	[[ $output == *"i/something"* ]]
	rmdir "$STINT_ROOT/var/lib/stint/i/something"
	none
}

@test "control groups in any hierarchy, and processes in them" {
	local h
	mkdir -p "$V2/$GROUP/d123abcd/server"
	# instances have no group of their own in every hierarchy; the parent is in all
	for h in "$CONTROLLERS"/*/; do
		[ ! -w "$h/cgroup.procs" ] || mkdir -p "$h/$GROUP"
	done
	sleep 1000 3>&- &
	STRAY=$!
	echo "$STRAY" >"$V2/$GROUP/d123abcd/server/cgroup.procs"
	run -1 look
	named process "$STRAY"
	named "control group" "$V2/$GROUP/d123abcd"
	named "control group" "$V2/$GROUP"
	fixed
	run ! kill -0 "$STRAY"
	# the parent alone
	mkdir "$V2/$GROUP"
	run -1 look
	named "control group" "$V2/$GROUP"
	fixed
}

@test "a mount on the host" {
	local place=$STINT_ROOT/var/lib/stint/i/e123abcd
	mkdir "$place"
	mount -t tmpfs none "$place"
	run -1 look
	named mount "$place"
	# the sweep goes nowhere below a mount, and says so
	run -1 stint sweep
	fixed
}

@test "a loop device" {
	local image=$STINT_ROOT/var/lib/stint/i/f123abcd/image
	mkdir "${image%/*}"
	truncate -s 1M "$image"
	LOOP=$(losetup -f --show "$image") || skip "no loop device can be had"
	run -1 look
	named "loop device" "$LOOP"
	fixed
	LOOP=
}

@test "a link, and the firewall's table, without an instance or a zone" {
	local number=$((0x${GROUP#stint-} % 4095 + 1)) table
	table=$(printf 'stint_%03x' "$number")
	on_host ip link add sta123abcd group $((0x73000000 | number << 12 | 1)) \
		type veth peer name peer0
	on_host ip link add stb123abcd type veth peer name peer1
	on_host nft add table inet "$table"
	run -1 look
	named link sta123abcd
	named table "inet $table"
	run ! named link stb123abcd
	fixed
	run ! on_host ip link show sta123abcd
	run ! on_host nft list table inet "$table"
	on_host ip link show stb123abcd
}

@test "a row whose keeper is lost, and one that is overdue with all of its processes" {
	local id keeper
	stint up hello --name k
	id=$(id_of k)
	kill_process stint-keeper k
	run -1 look
	named row "k ($id)"
	named directory "$STINT_ROOT/var/lib/stint/i/$id"
	fixed
	stint up hello --name z --ttl 3s
	id=$(id_of z)
	keeper=$(processes_of stint-keeper z)
	# shellcheck disable=SC2086 # keeper and, until they have names of their own, its children
	kill -STOP $keeper
	overdue() { ! look && named row "z ($id)" && named process "${keeper%%$'\n'*}"; }
	eventually 10 overdue
	fixed
	[[ $(reason_of z) == expired* ]]
}

@test "a keeper that lives and whose record is gone, with its copy" {
	local id keeper
	stint up hello --name k
	id=$(id_of k)
	keeper=$(processes_of stint-keeper k | head -n 1)
	rm "$STINT_ROOT"/var/lib/stint/store.db* "$STINT_ROOT/var/lib/stint/i/$id/record"
	run -1 look
	named process "$keeper"
	named directory "$STINT_ROOT/run/stint/i/$id"
	fixed
}

@test "--fix and a wrong word" {
	refused 2 "--leaks [--fix]" doctor --fix
	refused 2 "--leaks [--fix]" doctor --leaks name
}

@test "the table reads well in 80 columns" {
	mkdir "$STINT_ROOT/var/lib/stint/i/a123abcd"
	sleep 1000 3>&- &
	STRAY=$!
	mkdir -p "$V2/$GROUP/d123abcd/server"
	echo "$STRAY" >"$V2/$GROUP/d123abcd/server/cgroup.procs"
	run -1 leaks
	echo "$output"
	[ "$(awk 'length > 80' <<<"$output" | grep -vc "stint: ")" -eq 0 ]
	fixed
}
