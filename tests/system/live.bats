#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Live installs: nothing is copied, and what changes below instances is found and noted with them.
load helper

setup()
{
	set_up
	L=$STINT_ROOT/live
	mkdir -p "$L/lib/deep" "$L/conf"
	for i in 1 2 3 4 5 6; do
		head -c 2000 /dev/urandom >"$L/lib/$i.jar"
	done
	echo one >"$L/conf/version"
	echo deep >"$L/lib/deep/file"
	ln -s ../conf/version "$L/lib/version"
	template t <<-END
		template: t
		install: app
		run: {command: [/bin/sleep, '300']}
		ready: none
	END
}

teardown()
{
	local pid failed=0

	# some tests have it wait
	for pid in $(guards); do
		kill -CONT "$pid" 2>/dev/null || true
	done
	[ -z "${DISK-}" ] || umount_disk || failed=1
	clean_up || failed=1
	return "$failed"
}

# The directory on a file system of its own, which has nobody's word for it that the disk below holds
# what it was given.
# shellcheck disable=SC2034 # helper.bash uses them
on_disk()
{
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	DISK=$(mktemp /tmp/stint-disk.XXXXXX)
	truncate -s 16M "$DISK"
	mkfs.ext4 -q -O ^metadata_csum "$DISK"
	L=$STINT_ROOT/disk/app
	mkdir -p "$STINT_ROOT/disk"
	mount -o loop "$DISK" "$STINT_ROOT/disk"
	mkdir -p "$L/lib"
	echo 'a content that is on this disk once: 1111' >"$L/lib/one.jar"
	echo two >"$L/lib/two.jar"
	sync -f "$L"
	sleep 0.1
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
}

# shellcheck disable=SC2034 # helper.bash uses them
umount_disk()
{
	stint down --all --now || true
	eventually 5 has_no_guard
	umount "$STINT_ROOT/disk"
	rm -f "$DISK"
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
}

# scribble DIGITS: another content, by no call that the file system sees: size, inode and times stay.
scribble()
{
	local before at

	before=$(stat -c '%i %s %Y %Z %y %z' "$L/lib/one.jar")
	at=$(grep -abo 'a content that is on this disk once: ' "$DISK" | head -n 1 | cut -d : -f 1)
	printf %s "$1" | dd of="$DISK" bs=1 seek=$((at + 37)) conv=notrunc,fsync status=none
	# what the kernel has of the file goes
	dd if="$L/lib/one.jar" iflag=nocache count=0 status=none
	grep -q "$1" "$L/lib/one.jar"
	[ "$(stat -c '%i %s %Y %Z %y %z' "$L/lib/one.jar")" = "$before" ]
}

# start NAME...
start()
{
	local name

	for name; do
		stint up t --name "$name"
	done
}

# In place, by rename, removed, added, moved; and what nobody must take for a change.
fix_tool()
{
	local time

	time=$(stat -c %y "$L/lib/1.jar")
	printf XXXX | dd of="$L/lib/1.jar" bs=1 conv=notrunc status=none
	touch -d "$time" "$L/lib/1.jar"
	head -c 2000 /dev/urandom >"$L/lib/new" && mv "$L/lib/new" "$L/lib/2.jar"
	rm "$L/lib/3.jar"
	echo added >"$L/lib/$(printf 'odd\n\033[31m')"
	mv "$L/lib/deep" "$L/lib/deeper"
	chmod 700 "$L/lib/4.jar"
	cat "$L/lib/5.jar" >/dev/null
}

fixed()
{
	sed "s|^\(.\) |\1 $L/|" <<-END
		C lib/1.jar
		C lib/2.jar
		D lib/3.jar
		C lib/4.jar
		D lib/deep
		D lib/deep/file
		A lib/deeper
		A lib/deeper/file
		A lib/odd\x0a\x1b[31m
	END
}

# The names that show has of an instance.
taints_of()
{
	stint show "$1" | sed -n 's/^  \([ACD] \)/\1/p'
}

# What the store says, without a command that could do something.
tainted_in_store()
{
	sqlite3 "$STINT_ROOT/var/lib/stint/store.db" "SELECT count(*) FROM instance WHERE tainted >= $1"
}

are_tainted()
{
	[ "$(tainted_in_store "$1")" = "$2" ]
}

guards()
{
	local pid

	for pid in $(pgrep -x stint); do
		grep -qszx "STINT_ROOT=$STINT_ROOT" "/proc/$pid/environ" || continue
		is_ended "$pid" || echo "$pid"
	done
}

has_guard()
{
	[ "$(guards | wc -l)" -eq 1 ]
}

has_no_guard()
{
	[ -z "$(guards)" ]
}

# For another look of the guard to be over.
touch_and_wait()
{
	touch "$L/conf/$1"
	eventually 8 is_noted "$1"
}

is_noted()
{
	sqlite3 "$STINT_ROOT/var/lib/stint/store.db" \
		"SELECT 1 FROM taint WHERE CAST(path AS TEXT) LIKE '%/conf/$1'" | grep -q 1
}

@test "all five are flagged with the right names, with no command in between" {
	stint install live app "$L"
	start i1 i2 i3 i4 i5
	eventually 5 has_guard
	fix_tool
	eventually 8 are_tainted 9 5
	for i in 1 2 3 4 5; do
		[ "$(taints_of "i$i")" = "$(fixed)" ]
	done
	[ "$(stint ls | grep -c '^i[1-5]  *t  *ready!  ')" -eq 5 ]
	[[ $(stint ls) == *"! changed below: i1, i2, i3, i4, i5"*"'stint install adopt'"* ]]
	[ "$(stint ls | awk '{ if (length($0) > 80) print }')" = "" ]
	[ "$(stint ls --json | jq -c '[.[].tainted]')" = '[9,9,9,9,9]' ]
	[ "$(stint show i1 --json | jq -r '.taints[] | select(.change == "added") | .path' | tail -n 1)" = \
		"$L/lib/odd\\x0a\\x1b[31m" ]
	[ "$(stint events | grep -c "tainted *9 files of 'app' changed: $L/lib/1.jar, ")" -eq 5 ]
	[[ $(stint show i1) == *"$L, live, guarded, of 'app'"*"'stint install adopt'"* ]]
	# what is started now sees all of it as it is, and one that is told again is not told twice
	start i6
	[ "$(stint show i6 --json | jq .tainted)" -eq 0 ]
	touch_and_wait later
	[ "$(stint ls --json | jq -c '[.[].tainted]')" = '[10,10,10,10,10,1]' ]
	[[ $(stint install ls) == *"app"*"live"*"6, 6 tainted"* ]]
	[[ $(stint install show app) == *"6 on the live directories, 6 of them tainted"* ]]
	[ "$(stint install show app --json | jq -c '[.mode, .newest, .live_instances, .tainted_instances]')" = \
		'["live",0,6,6]' ]
}

@test "names are bounded, and all are counted" {
	stint install live app "$L"
	start one
	for i in $(seq 250); do echo "$i" >"$L/lib/f$i"; done
	eventually 8 are_tainted 250 1
	[ "$(stint show one --json | jq -c '[.tainted, (.taints | length)]')" = '[250,100]' ]
	[ "$(taints_of one | wc -l)" -eq 20 ]
	[[ $(stint show one) == *"  and 230 more"* ]]
	[[ $(stint events) == *"tainted"*" and 245 more"* ]]
}

@test "a start looks at directories, ls --check at everything" {
	stint install live app "$L"
	start one
	eventually 5 has_guard
	# nobody looks
	kill -STOP "$(guards)"
	echo new >"$L/lib/7.jar"
	start two
	[ "$(taints_of one)" = "A $L/lib/7.jar" ]
	[ -z "$(taints_of two)" ]
	echo two >"$L/conf/version"
	start three
	[ "$(taints_of one)" = "A $L/lib/7.jar" ]
	stint ls >/dev/null
	are_tainted 1 1
	stint ls --check >/dev/null
	[ "$(taints_of one)" = "$(printf 'C %s/conf/version\nA %s/lib/7.jar' "$L" "$L")" ]
	[ "$(taints_of two)" = "C $L/conf/version" ]
	kill -CONT "$(guards)"
}

@test "adopt gives generations again: old ones stay on live and flagged, new ones do not change" {
	stint install add app "$L"
	start before
	stint install live app
	[[ $(stint install show app) == *"live "*"'stint install adopt app'"*"1 (newest)"* ]]
	start old
	[[ $(stint show before) == *"generation 1 of 'app'"* ]]
	echo two >"$L/conf/version"
	eventually 8 are_tainted 1 1
	[ "$(stint exec old -- cat "$L/conf/version")" = two ]
	[ "$(stint exec before -- cat "$L/conf/version")" = one ]
	[[ $(stint install adopt app) == "generation 2 of app: "* ]]
	start new
	[[ $(stint show new) == *"generation 2 of 'app'"* ]]
	# who is on live is guarded for as long as he is there
	touch_and_wait more
	[ "$(stint ls --json | jq -c '[.[] | [.name, .tainted]]')" = '[["before",0],["old",2],["new",0]]' ]
	[ "$(stint exec new -- ls "$L/conf")" = version ]
	stint sweep
	[ -e "$STINT_ROOT/var/lib/stint/install/app/live/0.manifest" ]
	refused 5 "was started on 'app'" install rm app
	stint down before
	stint down new
	refused 5 "instance 'old' was started on 'app'" install rm app
	stint down old
	eventually 2 has_no_guard
	stint sweep
	[ "$(ls "$STINT_ROOT/var/lib/stint/install/app")" = "$(printf '1\n2\nlock')" ]
	stint install rm app
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
}

@test "what an instance could not see as it is makes no live install" {
	mknod "$L/gone" c 0 0
	refused 1 "'$L/gone': a device 0:0" install live app "$L"
	rm "$L/gone"
	refused 3 "no install 'app'" install live app
	refused 2 "is no name" install live App "$L"
	refused 1 "does not exist" install live app "$STINT_ROOT/none"
	[ "$(stint install ls)" = "no installs" ]
	stint install live app "$L"
	refused 4 "there is an install 'app' already" install live app "$L"
	refused 4 "overlap" install live other "$L/lib"
	stint sweep
	[ "$(stint install ls --json | jq -c '.[] | [.install, .mode]')" = '["app","live"]' ]
	stint install rm app
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
}

@test "the guard has nothing of its caller, is no leak, and ends with the last instance" {
	local pid name

	stint install live app "$L"
	cd "$BATS_TEST_TMPDIR"
	SECRET=1 "$STINT" up t --name one 7<"$L/conf/version" 3>&-
	start two
	eventually 5 has_guard
	pid=$(guards)
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	[ "$(tr '\0' '\n' <"/proc/$pid/environ")" = "STINT_ROOT=$STINT_ROOT" ]
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ]
	[ "$(ps -o ppid= -p "$pid" | tr -d ' ')" != $$ ]
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
	done
	[ -z "$(find "/proc/$pid/fd" -lname '*store.db*' -o -lname "$L*")" ]
	[ "$(ls "/proc/$pid/fd" | wc -l)" -le 5 ]
	[ "$(ps -o ni= -p "$pid" | tr -d ' ')" -eq 19 ]
	stint doctor --leaks
	stint sweep
	[ "$(guards)" = "$pid" ]
	stint down one
	sleep 0.3
	[ "$(guards)" = "$pid" ]
	stint down two
	eventually 2 has_no_guard
	[ -z "$(ls "$STINT_ROOT/run/stint/live")" ]
	# it is told, and does not find out at its next look
	for name in three four five; do
		start "$name"
		eventually 5 has_guard
		sleep 0.3
		stint down "$name" --now
		eventually 1 has_no_guard
	done
	stint doctor --leaks
}

@test "a guard that is lost is started again in passing, and ends when its places are removed" {
	local pid

	stint install live app "$L"
	start one
	eventually 5 has_guard
	pid=$(guards)
	kill -KILL "$pid"
	eventually 5 has_no_guard
	echo two >"$L/conf/version"
	stint ls >/dev/null
	eventually 5 has_guard
	eventually 8 are_tainted 1 1
	[ "$(taints_of one)" = "C $L/conf/version" ]
	# with two at once there is one
	"$STINT" guard app 3>&-
	has_guard
	mv "$STINT_ROOT/var/lib/stint" "$STINT_ROOT/var/lib/away"
	eventually 8 has_no_guard
	[ ! -e "$STINT_ROOT/var/lib/stint" ]
	mv "$STINT_ROOT/var/lib/away" "$STINT_ROOT/var/lib/stint"
	stint ls >/dev/null
	eventually 5 has_guard
}

@test "a directory that goes altogether, and comes back" {
	stint install live app "$L"
	start one
	eventually 5 has_guard
	mv "$L" "$L.away"
	eventually 8 are_tainted 10 1
	[[ $(taints_of one) == "D $L"* ]]
	refused 1 "install directory '$L' does not exist" up t --name two
	mv "$L.away" "$L"
	stint ls --check
	start two
	[ "$(stint show two --json | jq .tainted)" -eq 0 ]
}

@test "a store that is lost loses no live install" {
	stint install live app "$L"
	start one
	eventually 5 has_guard
	rm "$STINT_ROOT"/var/lib/stint/store.db*
	stint sweep
	[ "$(stint install show app --json | jq -c '[.mode, .live_instances]')" = '["live",1]' ]
	eventually 5 has_guard
	echo two >"$L/conf/version"
	eventually 8 are_tainted 1 1
}

@test "the guard takes little of a processor, and little memory between its looks" {
	local pid before after hz

	mkdir "$L/many"
	(cd "$L/many" && seq 20000 | xargs touch)
	stint install live app "$L"
	start one
	eventually 5 has_guard
	pid=$(guards)
	hz=$(getconf CLK_TCK)
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	sleep 8
	after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	echo "ticks: $before to $after in 8 s, $(grep VmRSS "/proc/$pid/status")"
	# the first look may be in it, and a walk is not cut in two
	[ $((after - before)) -le $((hz * SLOW)) ]
	[ "$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" -lt 12000 ] || [ -n "${STINT_SANITIZED-}" ]
}

@test "a look that is killed at any call is taken again, and nothing is lost or told wrong" {
	local calls n last=0 found=0 killat=$STINT_BUILD/libexec/stint-tests/killat

	[ -z "${STINT_SANITIZED-}" ] || skip "the sanitizers make calls of their own"
	touch "$L/conf/f0"
	stint install live app "$L"
	start one
	eventually 5 has_guard
	kill -STOP "$(guards)"
	calls=900
	# a new name each time, and never more files: each look makes as many calls
	for ((n = 1; n <= calls; n += 10)); do
		mv "$L/conf/f$last" "$L/conf/f$n"
		last=$n
		found=$((found + 1))
		[ "$n" -ne 1 ] || found=2
		if [ "$n" -eq 1 ]; then
			calls=$("$killat" cli 0 -- "$STINT" ls --check 2>&1 >/dev/null 3>&- |
				sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
		else
			"$killat" cli "$n" -- "$STINT" ls --check >/dev/null 2>&1 3>&- || true
		fi
		stint ls --check >/dev/null
		are_tainted "$found" 1
		are_tainted "$((found + 1))" 0
	done
	[ "$n" -gt 500 ]
	kill -CONT "$(guards)"
}

@test "--hash: what the file system does not tell is found by ls --check, and adopt copies it" {
	on_disk
	stint install live app "$L" --hash
	[[ $(stint install show app) == *"live "*"guarded, with hashes;"* ]]
	[ "$(stint install show app --json | jq .hash)" = true ]
	start one
	stint ls --check >/dev/null
	are_tainted 0 1
	are_tainted 1 0
	scribble 2222
	# neither a start nor a look from the background reads what looks untouched
	start two
	touch "$L/lib/two.jar"
	eventually 8 are_tainted 1 2
	are_tainted 2 0
	stint ls --check >/dev/null
	[ "$(taints_of one)" = "$(printf 'C %s/lib/one.jar\nC %s/lib/two.jar' "$L" "$L")" ]
	[[ $(stint events) == *"tainted"*"1 file of 'app' changed: $L/lib/one.jar"* ]]
	# once told it is known
	start three
	stint ls --check >/dev/null
	[ -z "$(taints_of three)" ]
	# the cure is one
	stint install adopt app
	start four
	[ "$(stint exec four -- grep -c 2222 "$L/lib/one.jar")" = 1 ]
}

@test "--hash: generations share no file that only looks the same, and diff tells" {
	on_disk
	stint install add app "$L" --hash
	scribble 2222
	stint install adopt app --hash
	[ "$(stint install diff app 1 2)" = "C $L/lib/one.jar" ]
	grep -q 1111 "$STINT_ROOT/var/lib/stint/install/app/1/0/lib/one.jar"
	grep -q 2222 "$STINT_ROOT/var/lib/stint/install/app/2/0/lib/one.jar"
	[ "$(stat -c %h "$STINT_ROOT/var/lib/stint/install/app/2/0/lib/two.jar")" = 2 ]
	# without it, the times are believed
	scribble 3333
	touch "$L/lib/two.jar"
	stint install adopt app
	[ "$(stint install diff app 2 3)" = "C $L/lib/two.jar" ]
	[ "$(stat -c %h "$STINT_ROOT/var/lib/stint/install/app/3/0/lib/one.jar")" = 2 ]
}

@test "--hash is kept with the install, and taken back" {
	local place=$STINT_ROOT/var/lib/stint/install/app/live

	on_disk
	stint install live app "$L"
	start one
	stint ls --check
	[ "$(stint install show app --json | jq .hash)" = false ]
	# while somebody is on it: from now on
	stint install live app --hash
	scribble 2222
	rm "$STINT_ROOT"/var/lib/stint/store.db*
	stint sweep
	[ "$(stint install show app --json | jq .hash)" = true ]
	stint ls --check
	are_tainted 1 1
	[ "$(taints_of one)" = "C $L/lib/one.jar" ]
	stint install live app
	[ "$(stint install show app --json | jq .hash)" = false ]
	[ ! -e "$place/hash" ]
	scribble 3333
	start two
	stint ls --check
	[ -z "$(taints_of two)" ]
}

@test "--hash that is killed or interrupted changes nothing" {
	local calls n killat=$STINT_BUILD/libexec/stint-tests/killat

	[ -z "${STINT_SANITIZED-}" ] || skip "the sanitizers make calls of their own"
	stint install add app "$L"
	calls=$("$killat" cli 0 -- "$STINT" install live app --hash 2>&1 >/dev/null 3>&- |
		sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	stint install adopt app
	[ "$calls" -gt 100 ]
	for ((n = 1; n <= calls; n += 17)); do
		"$killat" cli "$n" -- "$STINT" install live app --hash >/dev/null 2>&1 3>&- || true
		stint sweep
		case $(stint install show app --json | jq -c '[.mode, .hash]') in
		'["live",true]') stint install adopt app ;;
		'["generations",false]') ;;
		*) false ;;
		esac
	done
	# a file that has no end in sight
	truncate -s 1T "$L/lib/large"
	timeout -s INT 1 "$STINT" install live app --hash 2>"$STINT_ROOT/said" 3>&- || status=$?
	[ "$status" -eq 124 ]
	[[ $(cat "$STINT_ROOT/said") == *interrupted* ]]
	[ "$(stint install show app --json | jq -c '[.mode, .hash]')" = '["generations",false]' ]
}
