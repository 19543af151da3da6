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
	local after

	after=$(hash_of_install)
	clean_up
	[ "$after" = "$BEFORE" ]
	[ "$(cat "$STINT_ROOT/secret" 2>/dev/null || echo host)" = host ]
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

# server MORE-YAML: a template with that install whose server does nothing by itself.
server()
{
	template quiet <<END
template: quiet
install: $I
run: {command: [/bin/sleep, '300']}
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
	for path in /etc/passwd /usr/bin/env /proc/1 /dev/null /opt/other "$I"; do
		server "scrub: '$path'"
		refused 1 "scrub: '$path' is" up quiet --name q
		nothing_left
	done
	server "scrub: ['$I/out', '$I/kernel']"
	stint up quiet --name q
	inside 'test ! -L out && test ! -L kernel'
	[ -e "$STINT_ROOT/secret" ]
}
