#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2317 # each test has a shell of its own, and so has inside
# harvest: what an instance changed is carried out whole or not at all, and in again.
load helper

setup()
{
	set_up
	I=$STINT_ROOT/install
	F=$STINT_ROOT/f.tar.zst
	mkdir -p "$I/dir/sub/deep" "$I/conf"
	echo a >"$I/a"
	echo b >"$I/dir/b"
	echo c >"$I/dir/sub/c"
	echo d >"$I/dir/sub/deep/d"
	echo conf >"$I/conf/server.cnf"
	quiet_template t
}

# quiet_template NAME [LINE...]: a server that does nothing, on the install.
quiet_template()
{
	{
		printf 'template: %s\ninstall: %s\nready: none\n' "$1" "$I"
		printf "run: {command: [/bin/sleep, '300']}\n"
		printf '%s\n' "${@:2}"
	} >"$STINT_ROOT/etc/stint/templates/$1.yaml"
}

inside()
{
	stint exec "$1" -- sh -c "cd '$I' && $2"
}

# What is in an archive, one line each, from the install's parent on.
list()
{
	tar --zstd -tvf "$1" --quoting-style=escape 2>/dev/null | sed "s|${STINT_ROOT#/}/||g"
}

# All names, modes, owners, times, links and contents, as they are seen inside.
seen_by()
{
	inside "$1" "find . -mindepth 1 -printf '%p %y %m %U:%G %l\n' | sort &&
		find . -type f -printf '%p %T@\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum"
}

@test "what was changed, added and deleted is in the file, and nothing else" {
	stint up t --name q
	inside q 'echo new >new; echo more >>a; rm dir/b; mkdir made; echo x >made/in; ln -s ../a made/link'
	[ "$(stint harvest q -o "$F")" = "$F: 4 files, 13 B, 1 deleted" ]
	list "$F"
	list "$F" | grep -q ' install/new$'
	list "$F" | grep -q ' install/a$'
	list "$F" | grep -q ' install/dir/.wh.b$'
	list "$F" | grep -q ' install/made/link -> ../a$'
	run ! grep -q 'dir/sub' <(list "$F")
	[ "$(tar --zstd -xOf "$F" "${I#/}/a")" = $'a\nmore' ]
	# the default name, and as a stream
	(cd "$STINT_ROOT" && stint harvest q)
	[ "$(list "$STINT_ROOT/q.tar.zst")" = "$(list "$F")" ]
	[ "$(stint harvest q -o - | tar --zstd -t | wc -l)" -eq "$(list "$F" | wc -l)" ]
	[ "$(stint harvest q -o "$STINT_ROOT/j" --json | jq -c '[.files, .deleted, .left_out]')" = '[4,1,0]' ]
	# what exists stays
	before=$(sha256sum "$F")
	refused 4 "'$F' exists" harvest q -o "$F"
	[ "$(sha256sum "$F")" = "$before" ]
	refused 1 "cannot put anything into '/no/where/'" harvest q -o /no/where/f
	refused 2 "'/tmp/' names no file" harvest q -o /tmp/
}

@test "only below the paths that the template says" {
	quiet_template only "harvest: [$I/conf, $I/dir/sub/c]"
	stint up only --name q
	inside q 'echo new >new; echo more >>conf/server.cnf; rm dir/b; rm dir/sub/c'
	stint harvest q -o "$F"
	list "$F"
	[ "$(list "$F" | awk '{print $6}')" = $'install/conf/\ninstall/conf/server.cnf\ninstall/dir/sub/.wh.c' ]
	# also where what leads there is gone, or came from elsewhere
	inside q 'rm -r dir'
	stint harvest q -o "$F.2"
	list "$F.2" | grep -q 'install/dir/sub/.wh.c$'
	inside q 'mkdir -p dir/sub; echo own >dir/sub/c'
	stint harvest q -o "$F.3"
	[ "$(tar --zstd -xOf "$F.3" "${I#/}/dir/sub/c")" = own ]
	quiet_template wrong "harvest: /opt/elsewhere"
	refused 1 "wrong.yaml:5:10: key 'harvest': '/opt/elsewhere' lies in no install directory" up wrong
	refused 1 "wrong.yaml:5:10: key 'harvest': '/opt/elsewhere' lies in" template check wrong
	# what a name stands for is known at the start
	stint install add app "$I"
	sed -i "s|^install: .*|install: app|" "$STINT_ROOT/etc/stint/templates/wrong.yaml"
	stint template check wrong
	refused 1 "harvest: '/opt/elsewhere' lies in no install directory" up wrong
}

@test "a renamed directory is packed whole, and so is what was in it" {
	stint up t --name q
	inside q 'mv dir moved; rm moved/b; echo more >>moved/sub/c; mv moved/sub/deep moved/deeper; mkdir dir'
	stint harvest q -o "$F"
	list "$F"
	list "$F" | grep -q 'install/moved/.wh..wh..opq$'
	[ "$(tar --zstd -xOf "$F" "${I#/}/moved/sub/c")" = $'c\nmore' ]
	[ "$(tar --zstd -xOf "$F" "${I#/}/moved/deeper/d")" = d ]
	run ! grep -q 'moved/b' <(list "$F")
	run ! grep -q 'moved/sub/deep' <(list "$F")
	list "$F" | grep -q 'install/dir/.wh..wh..opq$'
}

@test "a frozen one, and one that has ended and is kept" {
	stint up t --name q --keep-failed 1h
	inside q 'echo mine >new; rm dir/b'
	stint harvest q -o "$F"
	kill_process sleep q
	is_kept() { stint ls -a | grep -q 'q .*kept'; }
	eventually 10 is_kept
	stint harvest q -o "$F.kept"
	[ "$(list "$F.kept")" = "$(list "$F")" ]
	quiet_template cold "lease: {on_expiry: freeze, ttl: 1s}"
	if stint up cold --name c; then
		inside c 'echo mine >new; rm dir/b' || true
		is_frozen() { [ "$(state_of c)" = frozen ]; }
		eventually 10 is_frozen
		stint harvest c -o "$F.frozen"
		[ "$(list "$F.frozen" | awk '{print $6}')" = "$(list "$F" | awk '{print $6}')" ]
	fi
	refused 3 "no instance 'nope'" harvest nope
}

@test "a disk that is full is named as that, and what is no path has no quotes" {
	stint up t --name q
	run bash -c '"$0" harvest q -o - 2>&1 >/dev/full' "$STINT"
	[ "$status" -eq 1 ]
	[[ $output == "stint: cannot write standard output: "*"No space left on device" ]]
	inside q 'echo x >new'
	[ "$(stint harvest q -o "$F")" = "$F: 1 file, 2 B, 0 deleted" ]
}

@test "links, holes, attributes, any bytes, and what no file can hold" {
	stint up t --name q
	inside q 'echo one >one; ln one two; ln one dir/three; truncate -s 100M hole; echo end >>hole
		touch "$(printf "new\nline")" "$(printf "esc\033[2J")" "$(printf "bad\377")" .wh.trap
		mkfifo pipe; touch -d 2001-02-03T04:05:06.123456789Z one; chmod 2775 dir; chmod 4755 a'
	stint harvest q -o "$F" >"$STINT_ROOT/out" 2>&1
	cat -v "$STINT_ROOT/out"
	grep -q "'$I/pipe' is a pipe and left out" "$STINT_ROOT/out"
	grep -q "'$I/.wh.trap' has a name that would mean a deletion" "$STINT_ROOT/out"
	grep -q ', 2 left out$' "$STINT_ROOT/out"
	run ! grep -q $'\033' "$STINT_ROOT/out"
	[ "$(stat -c %s "$F")" -lt 100000 ]
	list "$F" | grep 'install/one link to install/dir/three\|install/one$'
	[ "$(list "$F" | grep -c ' link to ')" -eq 2 ]
	list "$F" | grep -q '^-rwxr-xr-x.*install/a$'
	list "$F" | grep -q '^drwxrwsr-x.*install/dir/$'
	stint up t --name r --with "$F"
	[ "$(inside r 'stat -c %h one')" -eq 3 ]
	[ "$(inside r 'stat -c %s hole; tail -c 4 hole; du -k hole | cut -f 1')" = $'104857604\nend\n4' ]
	[ "$(inside r 'stat -c %y one')" = "$(inside q 'stat -c %y one')" ]
	inside r 'test -e "$(printf "new\nline")" && test -e "$(printf "bad\377")" && ! test -e pipe'
}

@test "at an expiry, when the template says so" {
	quiet_template auto "harvest: $I/conf" "lease: {on_expiry: harvest, ttl: 2s}"
	stint up auto --name q
	inside q 'echo mine >conf/mine; echo no >not'
	id=$(id_of q)
	eventually 10 no_instances
	archive=$STINT_ROOT/var/lib/stint/archive/q-$id.tar.zst
	[ "$(stat -c %a "$archive")" = 600 ]
	[ "$(list "$archive" | awk '{print $6}')" = $'install/conf/\ninstall/conf/mine' ]
	[ "$(reason_of q)" = "expired; harvested" ]
	[[ $(stint events) == *"harvested"*"archive/q-$id.tar.zst"* ]]
	# one that is taken down was not wanted
	stint up auto --name other --ttl 1h
	stint down other
	[ "$(find "$STINT_ROOT/var/lib/stint/archive" -type f | wc -l)" -eq 1 ]
	# with a limit of disk that memory could hold, too
	stint up auto --name d --disk 32M
	inside d 'echo mine >conf/mine'
	id=$(id_of d)
	eventually 10 no_instances
	[ "$(reason_of d)" = "expired; harvested" ]
	list "$STINT_ROOT/var/lib/stint/archive/d-$id.tar.zst" | grep -q 'install/conf/mine$'
	# and what cannot be packed is kept
	rm -r "$STINT_ROOT/var/lib/stint/archive"
	touch "$STINT_ROOT/var/lib/stint/archive"
	stint up auto --name r
	is_kept() { stint ls -a | grep -q 'r .*kept'; }
	eventually 10 is_kept
	[[ $(reason_of r) == "expired; not harvested: "* ]]
	rm "$STINT_ROOT/var/lib/stint/archive"
	stint down r
}

@test "another one starts with it, and sees the same" {
	stint up t --name q
	inside q 'echo new >new; rm dir/b; mv dir/sub conf/sub; echo x >>conf/sub/c; rm conf/server.cnf
		mkdir -p m/n; ln -s nowhere m/l; chmod 700 m; touch -d 2001-02-03 m/n m; rm a; mkdir a; chmod 1777 .'
	stint harvest q -o "$F"
	stint up t --name r --with "$F"
	diff <(seen_by q) <(seen_by r)
	[[ $(stint show r) == *"with "*" $F"* ]]
	[ "$(stint show r --json | jq -r .with)" = "$F" ]
	[ "$(stint show q --json | jq .with)" = null ]
	[ "$(inside r 'stat -c "%y %a" m')" = "$(inside q 'stat -c "%y %a" m')" ]
	[ "$(inside r 'stat -c %a .')" = 1777 ]
	# once more, and from a stream
	stint harvest r -o - | stint up t --name s --with -
	[[ $(stint show s) == *"with "*" standard input"* ]]
	diff <(seen_by q) <(seen_by s)
	inside s 'echo more >>new; rm -r conf; mkdir conf' # it is its own
	[ "$(inside r 'cat new')" = new ]
	stint run t --with "$F" -- sh -c "'$STINT' exec \"\$STINT_NAME\" -- cat '$I/new'" | grep -qx new
	[ "$(find "$I" -type f | wc -l)" -eq 5 ]
}

# hostile TEXT: --with "$H" is refused with it, and nothing is left.
hostile()
{
	refused 5 "$1" up t --name h --with "$H"
	[[ $output == *"'$H' cannot be used: "* ]]
	[ "$(stint ls -a)" = "no instances" ]
	[ -z "$(leftovers)" ]
	[ "$(cat "$STINT_ROOT/victim")" = victim ]
}

@test "a hostile file is refused with a sentence, and nothing of the instance is left" {
	local T=${I#/} H=$STINT_ROOT/h.tar

	echo victim >"$STINT_ROOT/victim"
	cd "$STINT_ROOT" || return 1
	mkdir -p "x/$T"
	echo bad >"x/$T/file"
	pack() { tar -P -cf "$H" -C x "$@"; }
	pack --transform 's,^,/,' "$T/file"
	hostile "is an absolute path"
	pack --transform "s,$T/file,$T/../victim," "$T/file"
	hostile "has a component '.' or '..'"
	pack --transform "s,$T/file,etc/passwd," "$T/file"
	hostile "lies in no install directory"
	pack --transform "s,$T/file,${T%/*}/installed/file," "$T/file"
	hostile "lies in no install directory"
	ln -s "$STINT_ROOT" "x/$T/link"
	pack --no-recursion "$T/link"
	tar -P -rf "$H" -C x --transform "s,$T/file,$T/link/victim," "$T/file"
	hostile "leads through something that is no directory"
	pack --no-recursion "$T/link"
	tar -P -rf "$H" -C x --transform "s,$T/file,$T/link," "$T/file"
	hostile "stands there twice"
	ln victim "x/victim"
	ln victim "x/$T/hard"
	tar -P -cf "$H" -C x victim "$T/hard"
	tar -P --delete -f "$H" victim
	hostile "is a name of a file outside its install"
	mknod "x/$T/null" c 1 3
	pack "$T/null"
	hostile "is neither a file nor a directory nor a link"
	mkfifo "x/$T/fifo"
	pack "$T/fifo"
	hostile "is neither a file nor a directory nor a link"
	cp /bin/true "x/$T/suid"
	chmod 4755 "x/$T/suid"
	pack "$T/suid"
	hostile "is set-user-id"
	cp /bin/true "x/$T/caps"
	setcap cap_net_raw+ep "x/$T/caps"
	pack --xattrs --xattrs-include='*' "$T/caps"
	hostile "has capabilities"
	: >"x/$T/.wh..wh..opq"
	pack "$T/.wh..wh..opq"
	hostile "would hide all of an install directory"
	: >"x/$T/.wh..wh.aufs"
	pack "$T/.wh..wh.aufs"
	hostile "is a mark that is not known here"
	: >"x/$T/.wh..."
	pack "$T/.wh..."
	hostile "is a mark that is not known here"
	pack --transform "s,$T/file,$T," "$T/file"
	hostile "would take the place of an install directory"
	pack --transform "s,$T/file,"$'\033[2Jesc,' "$T/file"
	hostile "\\x1b[2Jesc"
	# what is no archive, is cut off, or is not there
	refused 1 "cannot read '$STINT_ROOT/victim'" up t --name h --with "$STINT_ROOT/victim"
	stint up t --name q
	inside q 'head -c 300000 /dev/urandom >big; echo x >y'
	stint harvest q -o "$F"
	stint down q
	for size in 10 1000 100000 300000; do
		head -c "$size" "$F" >"$F.cut"
		refused 1 "cannot read '$F.cut'" up t --name h --with "$F.cut"
	done
	refused 1 "cannot open '/no/file'" up t --name h --with /no/file
	refused 1 "is no regular file" up t --name h --with /dev/zero
	[ "$(stint ls -a)" = "no instances" ]
}

@test "the instance's limit of disk holds for what it starts with" {
	stint up t --name q
	inside q 'head -c 200M /dev/zero >zeros; truncate -s 500G sparse'
	stint harvest q -o "$F"
	[ "$(stat -c %s "$F")" -lt 1000000 ]
	refused 1 "does not fit into what the instance may write" up t --name h --with "$F" --disk 64M
	run ! grep -qx h <(stint ls -q)
	stint up t --name h --with "$F" --disk 400M
	[ "$(inside h 'stat -c %s zeros sparse')" = $'209715200\n536870912000' ]
	# many small ones
	inside q 'rm zeros sparse; i=0; while [ $i -lt 6000 ]; do : >f$i; i=$((i + 1)); done'
	stint harvest q -o "$F.many"
	refused 1 "does not fit" up t --name i --with "$F.many" --disk 16M
}

# kill_each COMMAND...: killed at every system call that it makes, one after the other; after each,
# whole_or_nothing says what may be there.
kill_each()
{
	local killat=$STINT_BUILD/libexec/stint-tests/killat n calls

	calls=$("$killat" cli 0 -- "$STINT" "$@" 2>&1 | sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	[ "$calls" -gt 50 ]
	whole_or_nothing whole
	# the sanitizers make many calls of their own
	for ((n = 1; n <= calls; n += ${STINT_SANITIZED:+$((calls / 60))}+1)); do
		timeout --foreground -s KILL 30 "$killat" cli "$n" -- "$STINT" "$@" >/dev/null 2>&1 || true
		whole_or_nothing
	done
	[ "$WHOLE" -gt 1 ] && [ "$NOTHING" -gt 1 ]
}

@test "killed at any system call, there is the whole file or none, and nothing else" {
	stint up t --name q
	inside q 'echo new >new; rm dir/b; mv dir/sub moved'
	stint harvest q -o "$F"
	mkdir "$STINT_ROOT/out"
	WHOLE=0 NOTHING=0
	whole_or_nothing()
	{
		if [ -e "$STINT_ROOT/out/f" ]; then
			cmp "$STINT_ROOT/out/f" "$F"
			WHOLE=$((WHOLE + 1))
			rm "$STINT_ROOT/out/f"
		else
			NOTHING=$((NOTHING + 1))
		fi
		[ -z "$(ls -A "$STINT_ROOT/out")" ]
	}
	kill_each harvest q -o "$STINT_ROOT/out/f"
}
