#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a template does to an instance's files before the server starts. The install on the host is
# never changed, which every test looks at in the end.
load helper

# An install with what must go, what stays, and links that lead out of it.
setup()
{
	set_up
	I=$STINT_ROOT/install
	mkdir -p "$I/run" "$I/data/deep"
	echo host >"$STINT_ROOT/secret"
	echo 1 >"$I/run/server.pid"
	echo 2 >"$I/run/.hidden.pid"
	echo 3 >"$I/data/deep/file"
	echo 4 >"$I/keep"
	echo 5 >"$I/run/$(printf 'new\nline.pid')"
	ln -s run "$I/current"
	ln -s "$STINT_ROOT" "$I/out"
	ln -s /proc/sys "$I/kernel"
	BEFORE=$(hash_of_install)
}

teardown()
{
	local after secret

	after=$(hash_of_install)
	secret=$(cat "$STINT_ROOT/secret")
	clean_up
	[ "$after" = "$BEFORE" ]
	[ "$secret" = host ]
}

# All names, owners, modes, times and contents.
hash_of_install()
{
	(
		cd "$I" || exit
		find . -printf '%p %l %U:%G %m %T@ %s\n' | sort
		find . -type f -print0 | sort -z | xargs -0 sha256sum
	) | sha256sum
}

# server MORE-YAML: a template with that install whose server does nothing by itself, as USER_INSIDE.
server()
{
	template quiet <<END
template: quiet
install: $I
run: {command: [/bin/sleep, '300'], user: ${USER_INSIDE-root}}
ready: none
$1
END
}

inside()
{
	stint exec q -- sh -c "cd '$I' && $1"
}

@test "scrub: files, patterns and directories are gone before the server starts" {
	server "params: {what: data}
scrub: ['$I/current/*.pid', '$I/\${what}', '$I/none', '$I/none/at/all']"
	stint up quiet --name q
	[ "$(inside 'ls -A run')" = .hidden.pid ]
	inside "test ! -e data && grep -qx 4 keep"
	run stint diff q
	[[ $output == *"D $I/run/server.pid"* ]]
	[[ $output == *"D $I/data"* ]]
	[[ $output != *keep* ]]
	[[ $(stint plan quiet) == *"scrub:"*"- $I/data"* ]]
	[ "$(stint plan quiet --json | jq -r '.scrub[1]')" = "$I/data" ]
}

@test "scrub: never out of the install, and never what is not the instance's" {
	local path

	for path in out/secret 'out/*' kernel/kernel/hostname; do
		server "scrub: '$I/$path'"
		refused 1 "scrub: '$I/$path': a symbolic link on the way leads out of '$I'" \
			up quiet --name q
		nothing_left
	done
	for path in /etc/passwd /opt/other "$I"; do
		server "scrub: '$path'"
		refused 1 "scrub: '$path' is" up quiet --name q
		nothing_left
	done
	for path in /usr/bin/env /proc/1 /dev/null; do
		server "scrub: '$path'"
		refused 1 "key 'scrub': '$path' is not the instance's to change" template check quiet
	done
	server "scrub: ['$I/out', '$I/kernel']"
	stint up quiet --name q
	inside 'test ! -L out && test ! -L kernel'
	[ -e "$STINT_ROOT/secret" ]
}

# The same files as in the tests of the formats, byte for byte: bytes FILE TEXT
bytes()
{
	[ "$(inside "od -An -c '$1'")" = "$(printf '%b' "$2" | od -An -c)" ]
}

@test "files: from the host, from the template and whole trees, with owner and mode" {
	mkdir -p "$STINT_ROOT/packages/sub"
	echo start >"$STINT_ROOT/packages/sub/start"
	chmod 0750 "$STINT_ROOT/packages/sub/start"
	ln -s ../nowhere "$STINT_ROOT/packages/link"
	USER_INSIDE=nobody server "params: {who: world}
files:
  $I/conf/deep/secret: {from: $STINT_ROOT/secret, mode: 600}
  $I/keep: {text: \"hello \${who}\\n\", user: root}
  $I/packages: {from: $STINT_ROOT/packages}
  /tmp/motd: {text: ''}"
	stint up quiet --name q
	run stint exec q -- sh -c "cd '$I' && stat -c '%n %U %a' conf conf/deep conf/deep/secret keep \
		packages packages/sub/start /tmp/motd && cat conf/deep/secret keep && readlink packages/link"
	echo "$output"
	[ "$output" = "conf nobody 755
conf/deep nobody 755
conf/deep/secret nobody 600
keep root 644
packages nobody 755
packages/sub/start nobody 750
/tmp/motd nobody 644
host
hello world
../nowhere" ]
	run stint diff q
	[[ $output == *"C $I/keep"* ]]
	[[ $output == *"A $I/conf/deep/secret"* ]]
	[[ $output == *"A $I/packages/sub/start"* ]]
	[[ $output != *.stint-new* ]]
	[ "$(inside 'cat packages/sub/start')" = start ]
	[ "$(stint plan quiet --json | jq -r ".files[\"$I/conf/deep/secret\"].mode")" = 0600 ]
}

@test "files: what was opened of the host is open nowhere any more" {
	local comm pid pids

	server "files: {$I/x: {from: $STINT_ROOT/secret}, $I/y: {from: $STINT_ROOT/etc}}"
	stint up quiet --name q
	for comm in stint-keeper stint-init stint-forwarder sleep; do
		pids=$(processes_of "$comm" q)
		[ -n "$pids" ]
		for pid in $pids; do
			run ls -l "/proc/$pid/fd"
			[[ $output != *"$STINT_ROOT/secret"* ]]
			[[ $output != *"$STINT_ROOT/etc"* ]]
		done
	done
}

@test "files: what is not there, or no file, is said before anything is made" {
	mkfifo "$STINT_ROOT/pipe"
	server "files: {$I/x: {from: $STINT_ROOT/none}}"
	refused 1 "files: '$I/x': cannot open '$STINT_ROOT/none': No such file" up quiet --name q
	server "files: {$I/x: {from: $STINT_ROOT/pipe}}"
	refused 1 "files: '$I/x': '$STINT_ROOT/pipe' is neither a regular file nor a directory" \
		up quiet --name q
	server "files: {$I/x: {from: $STINT_ROOT/etc, mode: 600}}"
	refused 1 "is a directory, whose files keep their modes" up quiet --name q
	server "files: {$I/x: {text: a, user: nobody-at-all}}"
	refused 1 "files: '$I/x': " up quiet --name q
	nothing_left
	[ "$(stint history --json | jq length)" -eq 0 ]
}

@test "files: never out of the install, and never what is not the instance's" {
	local path

	for path in out/new kernel/kernel/new; do
		server "files: {$I/$path: {text: a}}"
		refused 1 "files: '$I/$path': a symbolic link on the way leads out of '$I'" \
			up quiet --name q
		nothing_left
	done
	server "files: {$I/data: {text: a}}"
	refused 1 "files: '$I/data': cannot write it: Is a directory" up quiet --name q
	for path in /etc/passwd /etc/new /opt/other/new; do
		server "files: {$path: {text: a}}"
		refused 1 "files: '$path' is not the instance's to change" up quiet --name q
		nothing_left
	done
	# what can lie in nobody's home is known without the host
	for path in /usr/bin/new /bin/new /lib/new /proc/sys/new /dev/new /sys/new; do
		server "files: {$path: {text: a}}"
		refused 1 "quiet.yaml:5:9: key 'files.$path': is not the instance's to change" \
			template check quiet
	done
	# a link at the end is replaced, not followed
	server "files: {$I/out: {text: a}}"
	stint up quiet --name q
	inside 'test ! -L out && grep -q a out'
	[ ! -e "$STINT_ROOT/new" ]
}

@test "files: 100 MB, and more than there is room for" {
	truncate -s 100M "$STINT_ROOT/large"
	echo end >>"$STINT_ROOT/large"
	server "files: {$I/large: {from: $STINT_ROOT/large}}"
	stint up quiet --name q
	[ "$(inside 'sha256sum <large')" = "$(sha256sum <"$STINT_ROOT/large")" ]
	stint down q --now
	server "files: {/tmp/large: {from: $STINT_ROOT/large}}
limits: {disk: 32M}"
	refused 1 "files: '/tmp/large': cannot write it: " up quiet --name q
	nothing_left
}

@test "edit: each format, with all else as it was" {
	printf '# x\r\nport=80\r\nmore=a\\\r\n b' >"$I/a.properties"
	printf '[a]\nport = 80\n\n[b]\nport = 80' >"$I/b.cnf"
	printf '\xef\xbb\xbf<?xml version="1.0"?>\n<S><C n="1"/><C n="2" port="80"/></S>' >"$I/c.xml"
	: >"$I/empty.ini"
	chmod 0640 "$I/c.xml"
	BEFORE=$(hash_of_install)
	server "params: {port: '81'}
edit:
  $I/a.properties: {set: {port: '\${port}', new: x}}
  $I/b.cnf: {set: {a: {port: '\${port}'}, c: {x: 1}}}
  $I/c.xml: {set: {\"S/C[@n='2']@port\": '\${port}'}}
  $I/empty.ini: {set: {x: 1}}
  $I/new/made: {format: properties, create: true, set: {x: 1}}"
	stint up quiet --name q --set port=82
	bytes a.properties '# x\r\nport=82\r\nmore=a\\\r\n b\r\nnew=x\r\n'
	bytes b.cnf '[a]\nport = 82\n\n[b]\nport = 80\n[c]\nx=1\n'
	bytes c.xml '\xef\xbb\xbf<?xml version="1.0"?>\n<S><C n="1"/><C n="2" port="82"/></S>'
	bytes empty.ini 'x=1\n'
	bytes new/made 'x=1\n'
	[ "$(inside 'stat -c %a c.xml')" = 640 ]
	run stint diff q
	[[ $output == *"C $I/a.properties"* ]]
	[[ $output == *"A $I/new/made"* ]]
}

@test "edit: after files, which is after scrub" {
	server "scrub: ['$I/keep', '$I/run/*.pid']
files: {$I/keep/it.ini: {text: 'a=1'}, $I/run/new.pid: {text: '1'}}
edit: {$I/keep/it.ini: {set: {a: 2}}}"
	stint up quiet --name q
	bytes keep/it.ini 'a=2'
	[ "$(inside 'ls run')" = new.pid ]
}

@test "edit: what cannot be done is said with key and path, and leaves nothing" {
	printf 'a=1\na=2\n' >"$I/twice.ini"
	printf '<a><b/><b/></a>' >"$I/twice.xml"
	printf 'a\0=\0' >"$I/wide.ini"
	truncate -s 17M "$I/large.properties"
	ln -s "$STINT_ROOT/secret" "$I/link.ini"
	BEFORE=$(hash_of_install)
	local cases=(
		none.ini "{a: 1}" "does not exist; with 'create: true'"
		twice.ini "{a: 1}" "key 'a' is there more than once"
		twice.xml "{a/b@c: 1}" "key 'a/b@c' is there 2 times"
		twice.xml "{a/d@c: 1}" "key 'a/d@c' is not there"
		wide.ini "{a: 1}" "has NUL characters"
		large.properties "{a: 1}" "is too large; at most 16 MiB"
		link.ini "{a: 1}" "is a symbolic link"
		out/x.ini "{a: 1}" "leads out of '$I'"
		data "{a: 1}, format: ini" "is no regular file"
	) i

	for ((i = 0; i < ${#cases[@]}; i += 3)); do
		server "edit: {$I/${cases[i]}: {set: ${cases[i + 1]}}}"
		refused 1 "edit: '$I/${cases[i]}': " up quiet --name q
		[[ $output == *"${cases[i + 2]}"* ]]
		nothing_left
	done
	server "edit: {/etc/hosts: {format: ini, set: {a: 1}}}"
	refused 1 "edit: '/etc/hosts' is not the instance's to change" up quiet --name q
	server "edit: {/usr/lib/os-release: {format: properties, set: {ID: x}}}"
	refused 1 "key 'edit./usr/lib/os-release': is not the instance's" template check quiet
}

@test "edit: a link into what is shown of the host changes nothing there" {
	mkdir "$STINT_ROOT/shown"
	echo a=1 >"$STINT_ROOT/shown/x.ini"
	ln -s "$STINT_ROOT/shown/x.ini" "$I/x.ini"
	ln -s "$STINT_ROOT/shown" "$I/shown"
	BEFORE=$(hash_of_install)
	server "paths: $STINT_ROOT/shown
edit: {$I/x.ini: {set: {a: 2}}}"
	refused 1 "is a symbolic link" up quiet --name q
	server "paths: $STINT_ROOT/shown
edit: {$I/shown/x.ini: {set: {a: 2}}}"
	refused 1 "leads out of '$I'" up quiet --name q
	server "paths: $STINT_ROOT/shown
edit: {$STINT_ROOT/shown/x.ini: {set: {a: 2}}}"
	refused 1 "is not the instance's to change" up quiet --name q
	[ "$(cat "$STINT_ROOT/shown/x.ini")" = a=1 ]
}

@test "a disk that fails while a file is changed ends the start" {
	local point

	server "scrub: '$I/keep'
files: {$I/x: {text: a}}
edit: {$I/y: {format: ini, create: true, set: {a: 1}}}"
	for point in "what is scrubbed" "a file of the template" "an edited file"; do
		STINT_FAULT="root: $point:ENOSPC" refused 1 "No space left" up quiet --name q
		eventually 5 nothing_left
	done
}
