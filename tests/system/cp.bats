#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cp: files into an instance and out of it, and nothing beyond.
load helper

@test "a file in and out, with its content, mode and new owner" {
	stint up hello --name c
	head -c 3000000 /dev/urandom >"$STINT_ROOT/data"
	chmod 0751 "$STINT_ROOT/data"
	stint cp "$STINT_ROOT/data" c:/tmp/data
	[ "$(stint exec c -- stat -c '%a %s' /tmp/data)" = "751 3000000" ]
	stint cp c:/tmp/data "$STINT_ROOT/back"
	cmp "$STINT_ROOT/data" "$STINT_ROOT/back"
	stint cp "$STINT_ROOT/data" c:/tmp # into a directory, under its own name
	stint cp c:/etc/hostname "$STINT_ROOT"
	[ "$(cat "$STINT_ROOT/hostname")" = "$(id_of c)" ]
	[ "$(stint cp c:/etc/hostname -)" = "$(id_of c)" ]
	echo from-pipe | stint cp - c:/tmp/piped
	[ "$(stint exec c -- cat /tmp/piped)" = from-pipe ]
}

@test "a directory with all it contains, links as links" {
	stint up hello --name c
	mkdir -p "$STINT_ROOT/tree/deep/er" "$STINT_ROOT/tree/empty"
	echo one >"$STINT_ROOT/tree/deep/er/one file"
	ln -s deep/er "$STINT_ROOT/tree/link"
	ln -s /etc/shadow "$STINT_ROOT/tree/outside"
	chmod 0700 "$STINT_ROOT/tree/empty"
	stint cp "$STINT_ROOT/tree" c:/tmp
	[ "$(stint exec c -- cat "/tmp/tree/link/one file")" = one ]
	stint cp c:/tmp/tree "$STINT_ROOT/tree-back"
	diff -r --no-dereference "$STINT_ROOT/tree" "$STINT_ROOT/tree-back"
	[ "$(readlink "$STINT_ROOT/tree-back/outside")" = /etc/shadow ]
	[ "$(stat -c %a "$STINT_ROOT/tree-back/empty")" = 700 ]
}

@test "what is copied into the install is the instance's alone" {
	local home=$STINT_BUILD/share/stint/hello

	stint up hello --name a
	stint up hello --name b
	echo mine >"$STINT_ROOT/greeting"
	stint cp "$STINT_ROOT/greeting" "a:$home/packages/greeting"
	[ "$(get "http://127.0.0.1:$(port_of a)/flow/greeting")" = mine ]
	[ "$(get "http://127.0.0.1:$(port_of b)/flow/greeting")" != mine ]
	run ! grep -qx mine "$home/packages/greeting"
	stint cp "a:$home/packages/greeting" "$STINT_ROOT/back"
	cmp "$STINT_ROOT/greeting" "$STINT_ROOT/back"
}

@test "a link inside never leads out of the instance, in either direction" {
	stint up hello --name c
	echo secret-of-host >"$STINT_ROOT/secret"
	# absolute and climbing links mean the inside's own root
	stint exec c -- ln -s "$STINT_ROOT/secret" /tmp/absolute
	stint exec c -- ln -s "../../../../../../../..$STINT_ROOT/secret" /tmp/climbing
	stint exec c -- ln -s "$STINT_ROOT" /tmp/directory
	stint exec c -- ln -s /proc/1/root /tmp/magic
	for path in absolute climbing directory/secret "magic$STINT_ROOT/secret"; do
		run stint cp "c:/tmp/$path" "$STINT_ROOT/got"
		[ "$status" -ne 0 ]
		[ ! -e "$STINT_ROOT/got" ]
	done
	echo from-outside >"$STINT_ROOT/file"
	for path in absolute climbing directory/secret directory/new; do
		run stint cp "$STINT_ROOT/file" "c:/tmp/$path"
	done
	[ "$(cat "$STINT_ROOT/secret")" = secret-of-host ]
	[ ! -e "$STINT_ROOT/new" ]
	run stint cp "c:../../..$STINT_ROOT/secret" "$STINT_ROOT/got"
	[ ! -e "$STINT_ROOT/got" ]
}

@test "what is no file is not copied: devices, pipes, /proc of the host" {
	stint up hello --name c
	stint exec c -- sh -c 'mkdir /tmp/odd; mkfifo /tmp/odd/pipe; echo x >/tmp/odd/file'
	run timeout 10 "$STINT" cp c:/tmp/odd "$STINT_ROOT/odd"
	[ "$status" -eq 1 ]
	[[ $output == *pipe* || $output == *fifo* ]]
	[ "$(cat "$STINT_ROOT/odd/file")" = x ]
	run timeout 10 "$STINT" cp c:/dev/zero "$STINT_ROOT/zero"
	[ "$status" -eq 1 ]
	[ ! -e "$STINT_ROOT/zero" ]
}

@test "set-user-id bits do not travel" {
	stint up hello --name c
	cp /bin/true "$STINT_ROOT/tool"
	chmod 6755 "$STINT_ROOT/tool"
	stint cp "$STINT_ROOT/tool" c:/tmp/tool
	[ "$(stint exec c -- stat -c %a /tmp/tool)" = 755 ]
	stint exec c -- chmod 6755 /tmp/tool
	stint cp c:/tmp/tool "$STINT_ROOT/back"
	[ "$(stat -c %a "$STINT_ROOT/back")" = 755 ]
}

@test "through sudo files of the host are read and written as the caller" {
	stint up hello --name c
	echo root-only >"$STINT_ROOT/secret"
	chmod 0600 "$STINT_ROOT/secret"
	chmod 0755 "$STINT_ROOT"
	mkdir -m 0777 "$STINT_ROOT/open"
	export SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody
	refused 1 "ermission denied" cp "$STINT_ROOT/secret" c:/tmp/secret
	refused 1 "ermission denied" cp c:/etc/hostname "$STINT_ROOT/etc/hostname"
	stint cp c:/etc/hostname "$STINT_ROOT/open/hostname"
	[ "$(stat -c %u "$STINT_ROOT/open/hostname")" -eq 65534 ]
	unset SUDO_UID SUDO_GID SUDO_USER
}

@test "what is wrong is said" {
	stint up hello --name c
	refused 2 "neither is in an instance" cp a b
	refused 2 "both are in an instance" cp c:/a c:/b
	refused 2 "names no file" cp c: "$STINT_ROOT/x"
	refused 2 "usage: stint cp" cp c:/a
	refused 3 "no instance 'nope'" cp nope:/a "$STINT_ROOT/x"
	refused 3 "No such file" cp c:/no/such "$STINT_ROOT/x"
	refused 3 "No such file" cp "$STINT_ROOT/nosuch" c:/tmp/x
	refused 1 "no/such/dir/'" cp c:/etc/hostname "$STINT_ROOT/no/such/dir/x"
	[ ! -e "$STINT_ROOT/x" ]
}

@test "an interrupted copy leaves no part of the file" {
	stint up hello --name c
	mkfifo "$STINT_ROOT/never"
	mkdir "$STINT_ROOT/dest"
	env --default-signal=INT "$STINT" cp - c:/tmp/partial <>"$STINT_ROOT/never" >/dev/null 2>&1 3>&- &
	pid=$!
	echo data >"$STINT_ROOT/never"
	started() { [ -n "$(stint exec c -- find /tmp -maxdepth 1 -type f)" ]; }
	eventually 5 started
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -ne 0 ]
	[ -z "$(stint exec c -- find /tmp -maxdepth 1 -type f)" ]
}
