#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A state directory that cannot be written, or is full: what only looks works, what changes something is
# refused with a sentence before anything is done.
load helper

setup()
{
	set_up
	L=$STINT_ROOT/live
	STATE=$STINT_ROOT/var/lib/stint
	mkdir -p "$L/conf"
	echo one >"$L/conf/version"
	template t <<-END
		template: t
		install: $L
		run: {command: [/bin/sh, -c, "echo its log; exec sleep 300"]}
		ready: none
	END
}

teardown()
{
	local failed=0

	clean_up || failed=1
	[ -z "${IMAGE-}" ] || {
		umount "$HERE" || failed=1
		rm -rf "$IMAGE" "$HERE"
	}
	return "$failed"
}

# The program where the state directory is mounted read-only, for it alone.
read_only()
{
	timeout --foreground -s KILL $((100 * SLOW)) unshare -m sh -c '
		mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$STATE" "$STINT" "$@"
}

# read_only_refused COMMAND...
read_only_refused()
{
	run read_only "$@"
	echo "stint $*: status $status: $output"
	[ "$status" -eq 1 ]
	[[ $output == "stint: '$STATE' is on a file system that is mounted read-only, so nothing can be started, changed or ended: mount it for writing, "* ]]
}

all_there_is()
{
	find "$STATE" "$STINT_ROOT/run" -printf '%P %s %m %l\n' | grep -v 'run/stint/\(events\|swept\)\|store.db-shm\|layer\|log ' | sort
}

@test "read-only: what looks works, and what changes something is refused" {
	local before

	stint install add app "$L"
	stint up t --name one
	before=$(all_there_is)
	[[ $(read_only ls) == *"one "*"ready"* ]]
	[ "$(read_only ls --json | jq -r '.[].name')" = one ]
	[[ $(read_only show one) == *"generation 1 of 'app'"* ]]
	[[ $(read_only logs one) == "its log" ]]
	[ "$(read_only exec one -- cat "$L/conf/version")" = one ]
	[[ $(read_only install ls) == *"app"* ]]
	[[ $(read_only install show app) == *"1 (newest)"* ]]
	[ -z "$(read_only install diff app 1 1)" ]
	[ "$(read_only history)" = "$(stint history)" ]
	[[ $(read_only events) == *"one "*"ready"* ]]
	[[ $(read_only harvest one -o "$STINT_ROOT/f.tar.zst") == *"f.tar.zst: "* ]]
	read_only_refused save one --as other
	read_only_refused template rm other
	read_only_refused up t --name two
	read_only_refused run t -- true || [[ $status -eq 125 && $output == *"mounted read-only"* ]]
	read_only_refused install add other "$STINT_ROOT/etc"
	read_only_refused install adopt app
	read_only_refused install canary app
	read_only_refused install live app
	read_only_refused install prune app
	read_only_refused install rm app
	read_only_refused down one
	read_only_refused down --all --now
	read_only_refused sweep
	read_only_refused ls --check
	run read_only extend one +1h
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"'$STATE/store.db' cannot be written"*"read-only"* ]]
	[ "$(all_there_is)" = "$before" ]
	[ "$(state_of one)" = ready ]
	# and when nobody has it open, or had
	stint down one
	[ "$(read_only ls)" = "no instances" ]
	rm -f "$STATE"/store.db-wal "$STATE"/store.db-shm
	run read_only ls
	echo "$output"
	[ "$status" -eq 0 ] || [[ $output == *"'$STATE/store.db' "* ]]
}

@test "read-only from the start: the sentence names the directory" {
	mkdir -p "$STATE"
	run read_only ls
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"'$STATE"*"ead-only"* ]]
	run read_only up t
	[ "$status" -eq 1 ]
	[[ $output == *"'$STATE"*"ead-only"* ]]
	[ -z "$(ls -A "$STATE")" ]
}

# shellcheck disable=SC2034 # helper.bash uses them
small_disk()
{
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	HERE=$(mktemp -d /tmp/stint-fs.XXXXXX)
	IMAGE=$HERE.image
	truncate -s 40M "$IMAGE"
	mkfs.ext4 -q -m 0 "$IMAGE"
	mount -o loop "$IMAGE" "$HERE"
	rm -rf "$STINT_ROOT"
	STINT_ROOT=$HERE/root
	export STINT_ROOT
	GROUP=$(group_of_root "$STINT_ROOT")
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
	STATE=$STINT_ROOT/var/lib/stint
	L=$STINT_ROOT/live
	mkdir -p "$STINT_ROOT/etc/stint/templates" "$L/conf"
	echo one >"$L/conf/version"
	head -c 300000 /dev/urandom >"$L/large"
	template t <<-END
		template: t
		install: $L
		run: {command: [/bin/sleep, '300']}
		ready: none
	END
}

fill()
{
	head -c 100M /dev/zero >"$HERE/ballast" 2>/dev/null || true
	for i in 1 2 3 4 5 6 7 8; do
		head -c 4096 /dev/zero >"$HERE/ballast.$i" 2>/dev/null || true
	done
}

@test "full: what changes something says so and leaves nothing, and what looks works" {
	small_disk
	stint install add app "$L"
	stint install live other "$STINT_ROOT/etc"
	stint up t --name one
	touch "$L/large"
	fill
	[[ $(stint ls) == *"one "*"ready"* ]]
	[[ $(stint show one) == *"generation 1 of 'app'"* ]]
	[[ $(stint install show app) == *"1 (newest)"* ]]
	refused 1 "the file system of '$STATE' has" install adopt app
	refused 1 "the file system of '$STATE' has" install canary app t
	for try in 1 2 3; do
		run stint up t --name "two$try"
		echo "$output"
		[ "$status" -eq 0 ] || [[ $output == *"'$STATE"*"o space left"* || $output == *"disk is full"* || $output == *"'$STATE' is nearly full"* ]]
	done
	[ "$(stint install show app --json | jq -c '[.newest, .candidate, [.generations[].generation]]')" = '[1,null,[1]]' ]
	[ "$(LC_ALL=C ls "$STATE/install/app")" = "$(printf '1\nlock')" ]
	# an end that cannot be written down is finished when there is room
	run stint down --all --now
	echo "$output"
	[ "$status" -eq 0 ] || [[ $output == *"'$STATE/store.db' cannot be written, the disk is full"* ]]
	run stint install rm app
	echo "$output"
	[ "$status" -eq 0 ] || [[ $output == *"'one' was started on 'app'"* || $output == *"disk is full"* ]]
	rm "$HERE"/ballast*
	stint sweep
	[ "$(stint ls)" = "no instances" ]
	stint install rm app 2>/dev/null || ! stint install show app 2>/dev/null
	[ -z "$(ls "$STATE/install/app" 2>/dev/null)" ]
	stint install add app "$L"
	stint up t --name three
}
