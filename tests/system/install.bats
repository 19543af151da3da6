#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test has a shell of its own
# Installs and their generations: what an instance was started on stays as it was, whatever is done to
# the live directory, and new instances see the newest.
load helper

setup()
{
	set_up
	L=$STINT_ROOT/live
	make_live
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

# shellcheck disable=SC2034 # helper.bash uses them
# on_file_system KIND: root and live directory on one of its own, in an image.
on_file_system()
{
	grep -qw "$1" /proc/filesystems || skip "this kernel has no $1"
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	rm -rf "$STINT_ROOT"
	HERE=$(mktemp -d /tmp/stint-fs.XXXXXX)
	IMAGE=$HERE.image
	truncate -s 400M "$IMAGE"
	"mkfs.$1" -q "$IMAGE"
	mount -o loop "$IMAGE" "$HERE"
	STINT_ROOT=$HERE/root
	export STINT_ROOT
	GROUP=$(group_of_root "$STINT_ROOT")
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
	L=$STINT_ROOT/live
	mkdir -p "$STINT_ROOT/etc/stint/templates"
	make_live
}

make_live()
{
	mkdir -p "$L/bin" "$L/lib/deep" "$L/conf"
	for i in 1 2 3 4 5 6 7 8 9; do
		head -c 20000 /dev/urandom >"$L/lib/$i.jar"
	done
	echo one >"$L/conf/version"
	echo deep >"$L/lib/deep/file"
	ln -s ../conf/version "$L/lib/version"
	template t <<-END
		template: t
		install: $L
		run: {command: [/bin/sleep, '300']}
		ready: none
	END
}

# All names, modes, owners, times, links and contents, as they are seen inside.
seen_by()
{
	stint exec "$1" -- sh -c "cd '$L' && find . -mindepth 1 -printf '%p %y %m %U:%G %T@ %l\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum" | sha256sum
}

# What a vendor's tool does: in place, by rename, removed, added, moved.
fix_tool()
{
	printf XXXX | dd of="$L/lib/1.jar" bs=1 conv=notrunc status=none
	head -c 20000 /dev/urandom >"$L/lib/new" && mv "$L/lib/new" "$L/lib/2.jar"
	rm "$L/lib/3.jar"
	echo added >"$L/lib/10.jar"
	mv "$L/lib/deep" "$L/lib/deeper"
	echo two >"$L/conf/version"
	chmod 700 "$L/lib/4.jar"
}

# five_see_nothing BACKEND: of an adoption, and the sixth sees all of it.
five_see_nothing()
{
	local i fives=()

	stint install add app "$L" "${@:2}"
	for i in 1 2 3 4 5; do
		stint up t --name "i$i"
		fives[i]=$(seen_by "i$i")
	done
	[ "${fives[1]}" = "${fives[5]}" ]
	fix_tool
	for i in 1 2 3 4 5; do
		[ "$(seen_by "i$i")" = "${fives[i]}" ]
	done
	[[ $(stint install adopt app "${@:2}") == "generation 2 of app: "*", by $1, in "* ]]
	for i in 1 2 3 4 5; do
		[ "$(seen_by "i$i")" = "${fives[i]}" ]
	done
	stint up t --name i6
	[ "$(stint exec i6 -- cat "$L/conf/version")" = two ]
	[ "$(stint exec i6 -- sha256sum "$L/lib/1.jar" "$L/lib/2.jar")" = \
		"$(sha256sum "$L/lib/1.jar" "$L/lib/2.jar")" ]
	[ "$(stint exec i6 -- ls "$L/lib")" = "$(ls "$L/lib")" ]
	[ "$(stint install show app --json | jq -c '[.generations[] | [.generation, .instances, .backend]]')" = \
		"[[1,5,\"$1\"],[2,1,\"$1\"]]" ]
}

@test "five instances see nothing of a fix, the sixth all of it: copies" {
	five_see_nothing copy
	# what was not touched is there once
	[ "$(stat -c %h "$STINT_ROOT/var/lib/stint/install/app/2/0/lib/5.jar")" -eq 2 ]
	[ "$(stat -c %h "$STINT_ROOT/var/lib/stint/install/app/2/0/lib/1.jar")" -eq 1 ]
}

@test "five instances see nothing of a fix, the sixth all of it: btrfs" {
	on_file_system btrfs
	five_see_nothing reflink
}

@test "five instances see nothing of a fix, the sixth all of it: xfs" {
	on_file_system xfs
	five_see_nothing reflink
}

need_erofs()
{
	grep -qw erofs /proc/filesystems || skip "this kernel has no erofs"
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	[ -x /usr/bin/mkfs.erofs ] || skip "no mkfs.erofs"
}

loops_of_app()
{
	cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep -c "$STINT_ROOT/var/lib/stint/install/app"
}

@test "five instances see nothing of a fix, the sixth all of it: erofs" {
	need_erofs
	five_see_nothing erofs --backend erofs
	# all five share a device, which goes with them
	[ "$(loops_of_app)" -eq 2 ]
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install/app/1/0")" ]
	stint exec i1 -- sh -c "echo mine >>'$L/conf/version'; rm '$L/lib/9.jar'"
	[[ $(stint diff i1) == *"C $L/conf/version"*"D $L/lib/9.jar"* ]]
	stint up t --name two --keep-failed 1m
	stint exec two -- sh -c "echo theirs >'$L/lib/own'"
	kill_process sleep two
	is_kept() { stint ls -a | grep -q 'two.*kept'; }
	eventually 10 is_kept
	stint cp "two:$L/lib/own" "$STINT_ROOT/own"
	stint cp "two:$L/conf/version" "$STINT_ROOT/version"
	[ "$(cat "$STINT_ROOT/own" "$STINT_ROOT/version")" = "$(printf 'theirs\ntwo')" ]
	stint down --all --now
	eventually 5 no_loops
	# a copy after an image, and an image after a copy
	stint install adopt app --backend copy
	stint install adopt app --backend erofs
	stint up t --name last
	[ "$(stint exec last -- cat "$L/conf/version")" = two ]
}

no_loops()
{
	[ "$(loops_of_app)" -eq 0 ]
}

@test "what an instance writes goes above its generation, and diff compares with that" {
	stint install add app "$L"
	stint up t --name one
	stint exec one -- sh -c "echo mine >>'$L/conf/version'; rm '$L/lib/9.jar'; mv '$L/lib/deep' '$L/lib/d'"
	before=$(stint diff one)
	fix_tool
	stint install adopt app
	[ "$(stint diff one)" = "$before" ]
	[[ $before == *"C $L/conf/version"*"D $L/lib/9.jar"* ]]
	[ "$(stint exec one -- cat "$L/conf/version")" = "$(printf 'one\nmine')" ]
	[ "$(stat -c %s "$STINT_ROOT/var/lib/stint/install/app/1/0/conf/version")" -eq 4 ]
	[[ $(stint show one) == *"$L, generation 1 of 'app'"* ]]
	[ "$(stint show one --json | jq -c '.installs[0] | [.install, .generation]')" = '["app",1]' ]
	# and so does what is kept of one that failed
	stint up t --name two --keep-failed 1m
	stint exec two -- sh -c "echo theirs >'$L/lib/own'"
	kill_process sleep two
	is_kept() { stint ls -a | grep -q 'two.*kept'; }
	eventually 10 is_kept
	echo three >"$L/conf/version"
	stint cp "two:$L/conf/version" "$STINT_ROOT/out"
	[ "$(cat "$STINT_ROOT/out")" = two ]
	stint install adopt app
	stint install prune app
	[ "$(stint install show app --json | jq -c '[.generations[].generation]')" = "[1,2,3]" ]
}

@test "a template names an install, of several directories" {
	mkdir -p "$STINT_ROOT/other"
	echo here >"$STINT_ROOT/other/file"
	refused 2 "'$L' and '$L/lib' overlap" install add app "$L" "$L/lib"
	stint install add app "$L" "$STINT_ROOT/other"
	template named <<-END
		template: named
		install: app
		run: {command: [/bin/sleep, '300']}
		ready: none
	END
	stint up named --name one
	[ "$(stint exec one -- cat "$STINT_ROOT/other/file" "$L/conf/version")" = "$(printf 'here\none')" ]
	rm "$STINT_ROOT/other/file"
	[ "$(stint exec one -- cat "$STINT_ROOT/other/file")" = here ]
	sed -i 's/install: app/install: nothing/' "$STINT_ROOT/etc/stint/templates/named.yaml"
	refused 3 "no install 'nothing'; there is app" up named
	# a live directory that is gone is no reason not to start what is there
	mv "$L" "$L.away"
	stint up t --name two
	[ "$(stint exec two -- cat "$L/conf/version")" = one ]
	mv "$L.away" "$L"
}

@test "what lies beside a live directory is not taken for its image" {
	need_erofs
	mkdir "$STINT_ROOT/evil"
	echo evil >"$STINT_ROOT/evil/file"
	mkfs.erofs --quiet "$L.erofs" "$STINT_ROOT/evil"
	stint up t --name one --keep-failed 1m
	[ "$(stint exec one -- cat "$L/conf/version")" = one ]
	stint exec one -- sh -c "echo mine >>'$L/conf/version'"
	[ "$(stint diff one)" = "C $L/conf/version" ]
	kill_process sleep one
	is_kept() { stint ls -a | grep -q 'one.*kept'; }
	eventually 10 is_kept
	stint cp "one:$L/lib/version" "$STINT_ROOT/out"
	rm "$L.erofs"
}

@test "adopt that is interrupted says so, and which generation is the newest" {
	# the signal waits for it when it begins
	local again=(env --block-signal=INT sh -c 'kill -INT $$; exec "$@"' sh "$STINT" install)

	run "${again[@]}" add app "$L"
	[ "$status" -eq 130 ]
	[ "$output" = "stint: interrupted" ]
	stint install add app "$L"
	echo new >"$L/new"
	run "${again[@]}" adopt app
	[ "$status" -eq 130 ]
	[ "$output" = "stint: interrupted; generation 1 of 'app' is still the newest" ]
	[[ $(stint install adopt app) == "generation 2 of app: "* ]]
}

@test "adopt makes no generation when nothing has changed since the newest" {
	stint install add app "$L"
	[ "$(stint install adopt app)" = "app: nothing has changed since generation 1" ]
	[ "$(stint install adopt app --json | jq -c '[.generation, .made, .files, .backend]')" = '[1,false,11,"copy"]' ]
	cat "$L"/lib/* >/dev/null 2>&1 || true
	[ "$(stint install adopt app --backend copy --json | jq .made)" = false ]
	[ "$(ls "$STINT_ROOT/var/lib/stint/install/app")" = "$(printf '1\nlock')" ]
	# what was put back as it was, has another name or none, or lies in another directory, is a change
	touch -d "$(stat -c %y "$L/lib/1.jar")" "$L/lib/1.jar"
	[ "$(stint install adopt app --json | jq -c '[.generation, .made]')" = '[2,true]' ]
	chmod 700 "$L/lib/deep"
	[ "$(stint install adopt app --json | jq -c '[.generation, .made]')" = '[3,true]' ]
	rm "$L/lib/deep/file"
	[[ $(stint install adopt app) == "generation 4 of app: "* ]]
	# hashes of what has none cannot be compared; once they are there, they can
	[ "$(stint install adopt app --hash --json | jq -c '[.generation, .made]')" = '[5,true]' ]
	[ "$(stint install adopt app --hash)" = "app: nothing has changed since generation 5" ]
	# live instances need one to be on none
	[ "$(stint install live app --json | jq -c .)" = '{"install":"app","mode":"live","hash":false}' ]
	[[ $(stint install adopt app) == "generation 6 of app: "* ]]
}

@test "what is in use is not removed, and what is not goes" {
	stint install add app "$L"
	stint up t --name one
	touch "$L/conf/version"
	stint install adopt app
	touch "$L/conf/version"
	stint install adopt app
	refused 5 "instance 'one' was started on 'app'" install rm app
	[ "$(stint install prune app)" = "app: 1 generation removed, 2 kept" ]
	[ "$(stint install prune app --json | jq -c .)" = '{"install":"app","removed":[]}' ]
	[ "$(stint install show app --json | jq -c '[.generations[].generation]')" = "[1,3]" ]
	[ ! -e "$STINT_ROOT/var/lib/stint/install/app/2" ]
	stint down one
	# a sweep leaves what was replaced a moment ago
	stint sweep
	[ -e "$STINT_ROOT/var/lib/stint/install/app/1" ]
	sqlite3 "$STINT_ROOT/var/lib/stint/store.db" \
		"UPDATE generation SET created_ns = created_ns - 25 * 3600 * 1000000000"
	stint sweep
	[ "$(ls "$STINT_ROOT/var/lib/stint/install/app")" = "$(printf '3\nlock')" ]
	[ "$(stint install rm app)" = "app: no install any more; its directories stay as they are" ]
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
	[ "$(stint install ls)" = "no installs" ]
	# then the live directory is seen again
	echo live >"$L/conf/version"
	stint up t --name two
	[ "$(stint exec two -- cat "$L/conf/version")" = live ]
}

@test "diff of two generations" {
	stint install add app "$L"
	fix_tool
	stint install adopt app
	[ "$(stint install diff app 1 2)" = "$(sed "s|^\(.\) |\1 $L/|" <<-END
		C conf/version
		C lib/1.jar
		A lib/10.jar
		C lib/2.jar
		D lib/3.jar
		C lib/4.jar
		D lib/deep
		D lib/deep/file
		A lib/deeper
		A lib/deeper/file
	END
	)" ]
	[ "$(stint install diff app 2 1 --json | jq -r '[.[] | select(.change == "added")] | length')" -eq 3 ]
	[ -z "$(stint install diff app 2 2)" ]
	refused 3 "no generation 7" install diff app 1 7
}

# jar NAME MANIFEST-LINE: with python's zip, as any tool makes one.
jar()
{
	python3 -c '
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)
z.writestr("META-INF/", "")
z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n" + sys.argv[2] + "\r\n\r\n")
z.writestr("a/B.class", "x" * 5000)' "$L/lib/$1" "$2"
}

# versions_are_told BACKEND
versions_are_told()
{
	rm "$L"/lib/*.jar
	jar app.jar "Implementation-Version: 1.2.3"
	jar bundle.jar "Bundle-Version: 4.5"
	jar gone.jar "Implementation-Version: 0.9"
	jar plain.jar "X: y"
	stint install add app "$L" --backend "$1"
	jar app.jar "Implementation-Version: 1.2.4"
	jar bundle.jar "Implementation-Version: 4.6"
	jar new.jar "Implementation-Version: 2.0-SNAP"$'\r\n'" SHOT"
	jar plain.jar "X: z"
	rm "$L/lib/gone.jar"
	echo "this is no jar" >"$L/lib/broken.jar"
	mkdir "$L/lib/directory.jar"
	stint install adopt app --backend "$1"
	[ "$(stint install diff app 1 2)" = "$(sed "s|^\(.\) |\1 $L/lib/|" <<-END
		C app.jar  1.2.3 -> 1.2.4
		A broken.jar
		C bundle.jar  4.5 -> 4.6
		A directory.jar
		D gone.jar  0.9
		A new.jar  2.0-SNAPSHOT
		C plain.jar
	END
	)" ]
	[ "$(stint install diff app 1 2 --json | jq -c '[.[] | [.from_version, .to_version]]')" = \
		'[["1.2.3","1.2.4"],[null,null],["4.5","4.6"],[null,null],["0.9",null],[null,"2.0-SNAPSHOT"],[null,null]]' ]
}

need_archives()
{
	ldconfig -p | grep -q 'libarchive\.so\.13' || skip "no libarchive"
	command -v python3 >/dev/null || skip "no python3"
}

@test "diff tells the versions of jars" {
	need_archives
	versions_are_told copy
}

@test "diff tells the versions of jars in images" {
	need_archives
	need_erofs
	versions_are_told erofs
	no_loops
}

# Everything that can lie in a directory, but what is refused.
make_odd()
{
	printf 'any\377\n' >"$L/$(printf 'odd\nname\377')"
	mkfifo "$L/pipe"
	mknod "$L/device" c 1 3
	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die' "$L/socket"
	ln "$L/lib/1.jar" "$L/lib/again.jar"
	truncate -s 30M "$L/sparse"
	echo end >>"$L/sparse"
	setfattr -n user.note -v kept "$L/lib/2.jar"
	cp /bin/true "$L/bin/able"
	setcap cap_net_raw+ep "$L/bin/able"
	chmod 6755 "$L/lib/3.jar"
	chown 1234:4321 "$L/lib/4.jar"
	chmod 000 "$L/lib/5.jar"
	mkdir "$L/closed"
	touch "$L/closed/in"
	chmod 500 "$L/closed"
	touch -hd '1969-12-31 23:59:58.5 UTC' "$L/lib/version" "$L/lib/6.jar"
}

LISTING='%P %y %m %U:%G %T@ %l %s\n'

@test "whatever lies in an install is kept as it is" {
	local before

	make_odd
	before=$(cd "$L" && find . -printf "$LISTING" | sort)
	stint install add app "$L"
	cd "$STINT_ROOT/var/lib/stint/install/app/1/0"
	[ "$(find . -printf "$LISTING" | sort)" = "$before" ]
	diff -r --no-dereference --exclude=pipe --exclude=device --exclude=socket "$L" .
	[ "$(stat -c %i lib/1.jar)" = "$(stat -c %i lib/again.jar)" ]
	[ "$(stat -c %t:%T device)" = 1:3 ]
	[ "$(du -k sparse | cut -f1)" -lt 1000 ]
	[ "$(getfattr --only-values -n user.note lib/2.jar)" = kept ]
	[[ $(getcap bin/able) == *cap_net_raw* ]]
	[ "$(stint install show app --json | jq '.generations[0].files')" -eq 15 ]
}

@test "whatever lies in an install is in its image, too" {
	local before

	need_erofs
	make_odd
	before=$(cd "$L" && find . -mindepth 1 ! -type d -printf "$LISTING" | sort)
	stint install add app "$L" --backend erofs
	stint up t --name one
	[ "$(stint exec --user root one -- find "$L" -mindepth 1 ! -type d -printf "$LISTING" | sort)" = "$before" ]
	[ "$(stint exec --user root one -- find "$L" -mindepth 1 -type d -printf '%P %m %U:%G %T@\n' | sort)" = \
		"$(find "$L" -mindepth 1 -type d -printf '%P %m %U:%G %T@\n' | sort)" ]
	[ "$(stint exec --user root one -- getfattr --only-values --absolute-names -n user.note "$L/lib/2.jar")" = kept ]
	[ "$(stint exec --user root one -- stat -c %i "$L/lib/1.jar")" = \
		"$(stint exec --user root one -- stat -c %i "$L/lib/again.jar")" ]
	[ "$(stint exec --user root one -- sha256sum "$L/sparse")" = "$(sha256sum "$L/sparse")" ]
}

@test "what an instance would see otherwise is refused, and nothing is left" {
	mknod "$L/gone" c 0 0
	refused 1 "'$L/gone': a device 0:0 means to overlayfs that the file was deleted" install add app "$L"
	rm "$L/gone"
	setfattr -n trusted.overlay.opaque -v y "$L/lib"
	refused 1 "has an attribute 'trusted.overlay.*'" install add app "$L"
	setfattr -x trusted.overlay.opaque "$L/lib"
	refused 1 "does not exist" install add app "$STINT_ROOT/none"
	refused 2 "has a component '.' or '..'" install add app "$L/../live"
	refused 2 "is the whole host" install add app /
	mkdir "$L"/x$'\xff'
	refused 2 "/x\\xff' is not UTF-8; write a path" install add app "$L"/x$'\xff'
	refused 2 "/x\\xff' is not UTF-8; write a path" install live app "$L"/x$'\xff'
	rmdir "$L"/x$'\xff'
	refused 2 "is no name" install add App "$L"
	refused 1 "do not share blocks" install add app "$L" --backend reflink
	refused 2 "is none of auto" install add app "$L" --backend best
	[ "$(stint install ls)" = "no installs" ]
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
	stint install add app "$L"
	refused 4 "there is an install 'app' already" install add app "$L"
	refused 4 "overlap" install add other "$L/lib"
}

@test "too little space is said before anything is written" {
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	on_file_system xfs
	rm -rf "$L"
	L=$(mktemp -d /tmp/stint-live.XXXXXX)
	head -c 500M /dev/zero >"$L/large"
	run stint install add app "$L"
	rm -rf "$L"
	[ "$status" -eq 1 ]
	[[ $output == *"a generation of 'app' needs up to 516 MiB, and the file system of"* ]]
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
}

@test "a directory that changes while it is read is said" {
	for i in $(seq 2000); do echo "$i" >"$L/lib/f$i"; done
	(while :; do date +%N >"$L/conf/version"; done) 3>&- &
	WRITER=$!
	run stint install add app "$L"
	kill "$WRITER"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"'$L/conf/version' changed while"* ]]
	[ "$(stint install ls)" = "no installs" ]
	stint install add app "$L"
}

@test "interrupted, or killed at any moment, there is the old state or the new one" {
	local delay n

	for i in $(seq 3000); do echo "$i" >"$L/lib/f$i"; done
	stint install add app "$L"
	for i in $(seq 3000); do echo "x$i" >"$L/lib/f$i"; done
	"$STINT" install adopt app 3>&- &
	sleep 0.05
	kill -INT $!
	wait $! || true
	[ "$(ls "$STINT_ROOT/var/lib/stint/install/app")" = "$(printf '1\nlock')" ]
	for delay in 0.01 0.03 0.06 0.09 0.12 0.15 0.18 0.2 0.22 0.25 0.3 0.4; do
		n=$(stint install show app --json | jq .newest)
		touch "$L/lib/f1"
		timeout --foreground -s KILL $delay "$STINT" install adopt app 3>&- || true
		stint sweep
		newest=$(stint install show app --json | jq .newest)
		[ "$newest" -eq "$n" ] || [ "$newest" -eq $((n + 1)) ]
		[ "$(find "$STINT_ROOT/var/lib/stint/install/app" -mindepth 1 -maxdepth 1 | wc -l)" -eq \
			$((1 + $(stint install show app --json | jq '.generations | length'))) ]
	done
	stint up t --name one
	[ "$(stint exec one -- cat "$L/lib/f7")" = x7 ] || [ "$newest" -eq 1 ]
	# the first one, too
	stint down one
	stint install rm app
	for delay in 0.01 0.05 0.1 0.15 0.2; do
		timeout --foreground -s KILL $delay "$STINT" install add app "$L" 3>&- || true
		stint sweep
		[ "$(stint install ls)" != "no installs" ] || [ -z "$(ls "$STINT_ROOT/var/lib/stint/install")" ]
		stint install rm app 2>/dev/null || true
	done
}

@test "two at once do not disturb one another" {
	for i in $(seq 3000); do echo "$i" >"$L/lib/f$i"; done
	stint install add app "$L"
	touch "$L"/lib/*
	"$STINT" install adopt app 3>&- >"$BATS_TEST_TMPDIR/first" 2>&1 &
	sleep 0.03
	run stint install adopt app
	wait $! || true
	cat "$BATS_TEST_TMPDIR/first"
	echo "$output"
	[ "$status" -eq 0 ] || [[ $output == *"another command is at work on the install 'app'"* ]]
	stint install adopt app
}

@test "a store that is lost loses no generation" {
	stint install add app "$L"
	stint up t --name one
	before=$(seen_by one)
	fix_tool
	stint install adopt app
	rm "$STINT_ROOT"/var/lib/stint/store.db*
	stint sweep
	[ "$(seen_by one)" = "$before" ]
	[ "$(stint install show app --json | jq -c '[.newest, .paths[0], [.generations[] | [.generation, .instances]]]')" = \
		"[2,\"$L\",[[1,1],[2,0]]]" ]
}
