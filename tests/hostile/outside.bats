#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What others were fooled by outside of the instance: who starts them, names and numbers of users,
# programs and libraries that they looked for in the wrong place.
load hostile

# stint, seen by strace: the calls of all its processes, inside and outside, go to that file.
traced()
{
	timeout -s KILL 100 strace -f -qq -o "$STINT_ROOT/$1" -e trace=execve,open,openat,openat2 \
		-e signal=none "$STINT" "${@:2}"
}

# What other processes than that one load.
libraries_but_of()
{
	grep '\.so[.0-9]*"' "$STINT_ROOT/calls" | grep -v "^$1 " || true
}

# A line may end before the call does, where another process's comes between.
programs()
{
	sed -n '/ = -1 /d; s/.*execve("\([^"]*\)".*/\1/p' "$STINT_ROOT/calls" | sort -u
}

@test "nothing is executed but stint's two programs and what the template names, and no library loaded" {
	[ -z "${STINT_SANITIZED-}" ] ||
		skip "sanitizers load libraries of their own, and none looks for leaks under strace"
	hostile h "$USER_INSIDE" whoami
	traced calls run h
	[ "$(programs)" = "$(printf '%s\n' "$STINT" "$STINT_BUILD/libexec/stint/stint-keeper" \
		"$ATTACK" | sort)" ]
	# the command's own, which never enters an instance; those that do are static
	[ -z "$(libraries_but_of "$(head -n 1 "$STINT_ROOT/calls" | cut -d ' ' -f 1)")" ]
	# nor is anything below an install opened, which is others' to write
	run ! grep "\"$INSTALL/[^\"]*\", [^)]*O_\(RDONLY\|RDWR\|WRONLY\)" <(grep -v O_PATH "$STINT_ROOT/calls")
}

@test "no program has a bit that gives rights, and no source calls a shell or loads a library" {
	local root=$BATS_TEST_DIRNAME/../..

	[ -z "$(find "$STINT_BUILD/bin" "$STINT_BUILD/libexec/stint" -perm /6000)" ]
	# but for the command on the host that "stint run TEMPLATE -- COMMAND" is given, and for the one
	# place that loads the libraries of the host's firewall, which zones need, and of archives
	run ! grep -rnE --include='*.c' --exclude=run.c --exclude=library.c \
		'\b(system|popen|wordexp|execl|execlp|execvp|dlopen) ?\(' \
		"$root/runtime" "$root/netns" "$root/templates"
}

@test "it works as ever when who starts it ignores and blocks every signal" {
	hostile h "$USER_INSIDE" wait
	timeout -s KILL 100 "$HOSTILE" deaf "$STINT" up h --name h
	[ "$(timeout -s KILL 100 "$HOSTILE" deaf "$STINT" exec h -- grep -c '^Sig\(Blk\|Ign\).*0000000000000000' \
		/proc/self/status)" = 2 ]
	stint exec h -- grep '^SigBlk.*0000000000000000' /proc/2/status
	timeout -s KILL 100 "$HOSTILE" deaf "$STINT" down h
	nothing_left
}

@test "a number is a number, whatever the users inside are called, and no other is near it" {
	local number

	hostile h "$USER_INSIDE" wait
	stint up h --name h
	stint exec h --user 0 -- sh -c "printf '4711:x:0:0::/:/bin/sh\nnobody:x:0:0::/:/bin/sh\n' >>/etc/passwd"
	[ "$(stint exec h --user 4711 -- "$ATTACK" whoami)" = "user 4711, group 4711." ]
	[[ $(stint exec h --user nobody -- "$ATTACK" whoami) != "user 0,"* ]]
	for number in -1 4294967295 4294967296 18446744073709551616 0x0 1: 0:0 ' 0' '0 ' ''; do
		run stint exec h --user "$number" -- "$ATTACK" whoami
		echo "'$number': $status $output"
		[ "$status" -ne 0 ]
		[[ $output != *"user 0,"* ]]
	done
}

@test "what an install or an instance calls a configuration of stint's is a file like any other" {
	printf 'ids: {first: 0, count: 1}\n' >"$INSTALL/stint.yaml"
	printf 'run: {user: root}\nseccomp: {profile: off, reason: none}\n' >"$INSTALL/h.yaml"
	hostile h "$USER_INSIDE" wait
	stint up h --name h
	stint exec h --user 0 -- sh -c "mkdir -p /etc/stint/templates && cp $INSTALL/stint.yaml /etc/stint &&
		cp $INSTALL/h.yaml /etc/stint/templates"
	(cd "$INSTALL" && stint exec h -- "$ATTACK" whoami) >"$STINT_ROOT/who"
	[ "$(cat "$STINT_ROOT/who")" = "user $USER_INSIDE, group $USER_INSIDE." ]
	[ "$(stint show h --json | jq .id_base)" -gt 65535 ]
	(cd "$INSTALL" && stint up h --name second)
	[ "$(stint exec second -- "$ATTACK" whoami)" = "user $USER_INSIDE, group $USER_INSIDE." ]
	stint exec second -- grep '^Seccomp:.*2' /proc/self/status
}
