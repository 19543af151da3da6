#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # status, output and stderr come from run
# Secrets of a template: inside they are files that only the server's user can read, in memory, and
# outside they are found nowhere.
load helper

setup()
{
	set_up
	GIVEN=$(mktemp -d /tmp/stint-given.XXXXXX) # what is searched is below the root
	I=$STINT_ROOT/install
	mkdir -p "$I/conf"
	echo of-the-install >"$I/conf/licence.xml"
	ln -s "$GIVEN" "$I/out"
	FIRST=first-$(token) SECOND=second-$(token) THIRD=third-$(token)
	printf %s "$FIRST" >"$GIVEN/first"
	printf '%s\n' "$SECOND" >"$GIVEN/second"
	chmod 600 "$GIVEN"/*
}

teardown()
{
	clean_up
	rm -rf "$GIVEN"
}

token()
{
	head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n'
}

# server MORE-YAML: a template with that install whose server only sleeps, as nobody.
server()
{
	template quiet <<-END
		template: quiet
		install: $I
		run: {command: [/bin/sleep, '300'], user: nobody}
		ready: none
		$1
	END
}

# Where a secret lies that lies anywhere on the host. The words themselves stand in no argument here.
found_outside()
{
	local file words="$GIVEN/words"

	printf '%s\n' "$FIRST" "$SECOND" "$THIRD" >"$words"
	grep -raF -f "$words" --exclude-dir="${GIVEN##*/}" "$STINT_ROOT" /run/stint /dev/shm 2>/dev/null
	for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
		grep -qaF -f "$words" "$file" 2>/dev/null && echo "$file"
	done
	"$STINT" plan quiet | grep -F -f "$words"
	"$STINT" plan quiet --json | grep -F -f "$words"
	"$STINT" ls -a --json | grep -F -f "$words"
	"$STINT" history --json | grep -F -f "$words"
	"$STINT" events | grep -F -f "$words"
	rm "$words"
}

@test "secrets are found inside, for the server's user alone, and nowhere else" {
	server "secrets:
  first: {path: $I/conf/licence.xml}
  second: {mode: 440}
  third:
lease: {on_expiry: archive}"
	printf %s "$THIRD" | stint up quiet --name q --disk 64M --secret first=@"$GIVEN/first" \
		--secret third=- --secret second=fd:7 7<"$GIVEN/second"
	[ "$(stint exec q -- cat /run/secrets/first)" = "$FIRST" ]
	[ "$(stint exec q -- cat "$I/conf/licence.xml")" = "$FIRST" ]
	[ "$(stint exec q -- cat /run/secrets/third)" = "$THIRD" ]
	# byte for byte: this one has a newline
	[ "$(stint exec q -- sh -c 'wc -c </run/secrets/second')" -eq $((${#SECOND} + 1)) ]
	[ "$(stint exec q -- stat -c '%U %a' /run/secrets/first)" = "nobody 400" ]
	[ "$(stint exec q -- stat -c '%U %a' /run/secrets/second)" = "nobody 440" ]
	[ "$(stint exec q -- stat -f -c %T /run/secrets)" = ramfs ]
	[ "$(stint exec q -- readlink "$I/conf/licence.xml")" = /run/secrets/first ]
	# not for others inside, and nobody changes them, not even root there
	run stint exec --user 4711 q -- cat /run/secrets/first
	[ "$status" -ne 0 ]
	run stint exec --user root q -- sh -c 'echo other >/run/secrets/first'
	[ "$status" -ne 0 ]
	run stint exec --user root q -- rm /run/secrets/first
	[ "$status" -ne 0 ]
	[ -z "$(found_outside)" ]
	[ "$(cat "$I/conf/licence.xml")" = of-the-install ]
	stint extend q --until "$(date -d '1 second' +%Y-%m-%dT%H:%M:%S)"
	eventually 10 no_instances
	ls "$STINT_ROOT"/var/lib/stint/archive/q-*.tar
	[ -z "$(found_outside)" ]
}

@test "the search would find one that lies outside" {
	server "secrets: {first: {user: root}}"
	stint up quiet --name q --secret first=@"$GIVEN/first"
	[ -z "$(found_outside)" ]
	stint exec --user root q -- sh -c "cat /run/secrets/first >'$I/conf/copy'"
	[[ $(found_outside) == */upper/conf/copy* ]]
}

@test "the secret itself on a command line is refused, and not repeated" {
	server "secrets: {first: }"
	for word in "first=$FIRST" "$FIRST" "first" "first=@" "=@$GIVEN/first" "first=fd:x$FIRST"; do
		refused 2 "NAME=@FILE" up quiet --secret "$word"
		[[ $output != *"$FIRST"* ]]
	done
	refused 2 "given twice" up quiet --secret first=@"$GIVEN/first" --secret first=@"$GIVEN/second"
	refused 2 "descriptor 77 is not open" up quiet --secret first=fd:77
	: >"$GIVEN/empty"
	refused 1 "secret 'first' is empty" up quiet --secret first=@"$GIVEN/empty"
	head -c 1048577 /dev/zero >"$GIVEN/large"
	refused 1 "larger than 1024 KiB" up quiet --secret first=@"$GIVEN/large"
	refused 1 "Is a directory" up quiet --secret first=@"$GIVEN"
	mkfifo "$GIVEN/pipe"
	refused 1 "no regular file" up quiet --secret first=@"$GIVEN/pipe"
	refused 1 "No such file" up quiet --secret first=@"$GIVEN/none"
	run script -qec "'$STINT' up quiet --secret first=-" /dev/null
	[[ $output == *"typed on a terminal"* ]]
	no_instances
}

@test "which secrets there are, the template says" {
	server "secrets: {first: , second: }"
	refused 2 "needs a secret 'second'; add --secret second=@FILE" up quiet --secret first=@"$GIVEN/first"
	refused 2 "has no secret 'other'; it has: first, second" up quiet --secret other=@"$GIVEN/first"
	stint plan quiet
	server "secrets: {first: {from: $GIVEN/first}, second: {missing: nothing works}}"
	run --separate-stderr stint up quiet --name q
	[ "$status" -eq 0 ]
	[[ $stderr == *"stint: note: nothing works"* ]]
	[ "$(stint exec q -- ls /run/secrets)" = first ]
	[ "$(stint exec q -- cat /run/secrets/first)" = "$FIRST" ]
	# what is given comes before what the template names
	run --separate-stderr stint up quiet --name r --secret first=@"$GIVEN/second" --secret second=@"$GIVEN/first"
	[[ $stderr != *note* ]]
	[ "$(stint exec r -- cat /run/secrets/first)" = "$SECOND" ]
	server "secrets: {first: {from: $GIVEN/none}}"
	refused 1 "secrets: 'first': cannot open '$GIVEN/none'" up quiet
}

@test "a file is read with the rights of who called through sudo" {
	server "secrets: {first: }"
	chmod 755 "$GIVEN"
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody refused 1 "as user 'nobody'" up quiet \
		--secret first=@"$GIVEN/first"
}

@test "run takes secrets, too" {
	server "secrets: {first: }"
	sed -i 's|/bin/sleep.*\]|/bin/cat, /run/secrets/first]|' "$STINT_ROOT/etc/stint/templates/quiet.yaml"
	[ "$(stint run quiet --secret first=@"$GIVEN/first")" = "$FIRST" ]
}

@test "neither a template that has a secret in it, nor one that would write it to a disk" {
	server "secrets: {first: $FIRST}"
	refused 1 "says what the secret is" template check quiet
	[[ $output != *"$FIRST"* ]]
	server "secrets: {first: {path: $I/conf/a.properties}}
edit: {$I/conf/a.properties: {set: {a: b}}}"
	refused 1 "a secret is a file of its own" template check quiet
	server "secrets: {first: {path: $I/a}}
files: {$I/a: {text: b}}"
	refused 1 "a secret is a file of its own" template check quiet
	server "secrets: {first: {path: $I/a}, second: {path: $I/a}}"
	refused 1 "is the place of 'first' already" template check quiet
	server "secrets: {first: }
edit: {$I/conf/a.properties: {set: {a: '\${first}'}}}"
	refused 1 "first" template check quiet
	server "secrets: {'../x': }"
	refused 1 "is no name for a secret" template check quiet
}

@test "a place outside of what the instance can write is refused, and nothing is written there" {
	local path

	server "secrets: {first: {path: /usr/secret}}"
	refused 1 "key 'secrets.first': '/usr/secret' is not the instance's to change" template check quiet
	for path in "$I/out/link" /etc/secret /run/secrets/other; do
		server "secrets: {first: {path: $path}}"
		refused 1 "secrets: '$path'" up quiet --secret first=@"$GIVEN/first"
	done
	server "secrets: {first: }
files: {/run/secrets/other: {text: a}}"
	refused 1 "is not the instance's to change" up quiet --secret first=@"$GIVEN/first"
	[ "$(ls "$GIVEN")" = "$(printf 'first\nsecond')" ]
}

@test "a server that is started again finds its secrets" {
	server "secrets: {first: }
run: {command: [/bin/sh, -c, 'cat /run/secrets/first >/dev/null && echo has it; exit 1'], restart: on-failure}"
	sed -i "/command: \[\/bin\/sleep/d" "$STINT_ROOT/etc/stint/templates/quiet.yaml"
	stint up quiet --name q --no-wait --keep-failed 1m --secret first=@"$GIVEN/first"
	again() { [ "$(stint logs q | grep -c 'has it')" -ge 2 ]; }
	eventually 20 again
}
