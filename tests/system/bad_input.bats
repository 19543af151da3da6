#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input gets a sentence and an exit code, and leaves nothing.
load helper

# fails STATUS TEXT COMMAND...: as refused(), and within a second nothing of it is there.
fails()
{
	refused "$@"
	eventually 1 nothing_left
}

@test "wrong usage exits 2 and says what would be right" {
	refused 2 "did you mean 'up'" upp
	refused 2 "did you mean '--name'" up hello --nme x
	refused 2 "did you mean '--ttl'" up hello --tll=2h
	refused 2 "needs a value" up hello --name
	refused 2 "--ttl: 'abc' is no such time" up hello --ttl abc
	refused 2 "is no time" up hello --until 25:00
	refused 2 "exclude one another" up hello --ttl 1h --until 18:00
	refused 2 "is no name" up hello --name 'A b'
	refused 2 "has no port named 'nope'; it has: http" up hello -p 1:nope
	refused 2 "nosuch" up hello --set nosuch=1
	refused 2 "name instances" down
	refused 2 "unknown command" nosuchcommandatall
	[ -z "$(leftovers)" ]
}

@test "what does not exist exits 3, or 125 where another program's status is passed on" {
	refused 3 "did you mean 'tomcat'" up tomcatt
	for command in show down logs diff "extend +1h" "cp:"; do
		case $command in
		extend*) refused 3 "no instance 'nope'" extend nope +1h ;;
		cp:) refused 3 "no instance 'nope'" cp nope:/etc/hostname "$STINT_ROOT/x" ;;
		*) refused 3 "no instance 'nope'" "$command" nope ;;
		esac
	done
	refused 125 "no instance 'nope'" exec nope -- true
	refused 125 "no instance 'nope'" shell nope
	refused 125 "no template" run nope -- true
}

@test "a lease beyond the template's maximum is refused with 5" {
	fails 5 "beyond the template's maximum" up hello --ttl 99h
	fails 5 "beyond the template's maximum" up hello --until "$(date -d '+3 days' +%Y-%m-%dT%H:%M)"
}

@test "a port in use is named, and nothing is made" {
	stint up hello --name first
	port=$(port_of first)
	refused 1 "port $port of '127.0.0.1' is already published by the instance 'first'" up hello --name second -p "$port:http"
	[ "$(stint ls -q)" = first ]
	[ "$(find "$STINT_ROOT/var/lib/stint/i" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "a template for test or production is refused, and so is a group's second member on one host" {
	printf 'template: p\nextends: hello\ntier: production\n' | template p
	fails 5 "neither the availability nor the separation" up p
	printf 'template: h\nextends: hello\nha_group: brokers\ntier: dev\n' | template h
	stint up h --name first
	refused 5 "two on one machine fail together" up h --name second
	[ "$(stint ls -q)" = first ]
}

@test "a limit on the command line that is no limit is refused with 2, naming the option" {
	for words in "--memory 12" "--memory lots" "--cpus 0" "--cpus 2.5.1" "--pids 0" "--files 3" "--io-read 1" \
		"--io-write x" "--log-size none" "--swap -1"; do
		# shellcheck disable=SC2086 # words
		fails 2 "${words%% *}: '${words#* }' is not a valid" up hello $words
	done
}

@test "an install that is missing, a file, or has a file system below it is named" {
	template m <<<$'template: m\ninstall: /nonexistent/dir\nrun: {command: [/bin/true]}'
	fails 1 "install directory '/nonexistent/dir' does not exist" up m
	template m <<<$'template: m\ninstall: /etc/passwd\nrun: {command: [/bin/true]}'
	fails 1 "install directory '/etc/passwd' is not a directory" up m
	mkdir -p "$STINT_ROOT/install/below"
	template m <<<$'template: m\ninstall: '"$STINT_ROOT/install"$'\nrun: {command: [/bin/true]}'
	run unshare -m bash -c 'mount -t tmpfs tmpfs "$STINT_ROOT/install/below" && "$0" up m' "$STINT"
	[ "$status" -eq 1 ]
	[[ $output == *"another file system"*"$STINT_ROOT/install/below"* ]]
	template m <<<$'template: m\ninstall: ['"$STINT_ROOT/install, $STINT_ROOT/install/below"$']\nrun: {command: [/bin/true]}'
	refused 1 "" up m
	template m <<<$'template: m\npaths: [/no/such/path]\nrun: {command: [/bin/true]}'
	fails 1 "path '/no/such/path' does not exist" up m
	for path in / relative/path /proc /etc/../etc; do
		template m <<<$'template: m\ninstall: '"$path"$'\nrun: {command: [/bin/true]}'
		fails 1 "" up m
	done
	template m <<<$'template: m\ninstall: unknown\nrun: {command: [/bin/true]}'
	fails 3 "no install 'unknown'" up m
}

@test "a user, a working directory, a command that do not exist are named" {
	template u <<<$'template: u\nextends: hello\nrun: {user: nosuchuser}'
	fails 1 "'nosuchuser'" up u
	template d <<<$'template: d\nextends: hello\nrun: {directory: /no/such/dir}'
	fails 1 "/no/such/dir" up d
	template c <<<$'template: c\nextends: hello\nrun: {command: [/opt/x/server]}'
	fails 1 "command '/opt/x/server' does not exist inside" up c
	fails 1 "command '/opt/x/server' does not exist inside" up c --no-wait
	template c <<<$'template: c\nextends: hello\nrun: {command: [nosuchserver]}'
	fails 1 "command 'nosuchserver' does not exist inside" up c
	template c <<<$'template: c\nextends: hello\nrun: {command: [/etc/passwd]}'
	fails 1 "/etc/passwd" up c
	mkdir "$STINT_ROOT/install"
	printf '#!/no/such/interpreter\n' >"$STINT_ROOT/install/script"
	chmod 755 "$STINT_ROOT/install/script"
	template c <<<$'template: c\ninstall: '"$STINT_ROOT/install"$'\nrun: {command: ['"$STINT_ROOT/install/script"$']}\nready: none'
	fails 1 "interpreter" up c
}

@test "a server that exits at once is shown with its status and its last lines" {
	payload x "[/bin/sh, -c, 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo line-\$i-; done; echo reason >&2; exit 3']" \
		'ready: {log: never}'
	fails 1 "exited with status 3" up x
	[[ $output == *"line-13-"* ]]
	[[ $output == *"reason"* ]]
	[[ $output != *"line-1-"* ]]
	payload x "[$PROBE/bin/probe, print, last-words, signal, SEGV]" 'ready: {log: never}'
	fails 1 "signal 11" up x
	[[ $output == *last-words* ]]
	payload x "[/bin/true]" 'ready: {log: never}'
	fails 1 "exited with status 0" up x
	# and what it wrote cannot steer the terminal it is shown on
	payload x "[/bin/sh, -c, 'printf \"\\\\033[2Jclear\\\\n\"; exit 1']" 'ready: {log: never}'
	fails 1 "clear" up x
	[[ $output != *$'\033[2J'* ]]
}

@test "a server that is never ready exits 6, by each kind of readiness" {
	local ready

	for ready in '{http: {port: p, path: /}' '{tcp: {port: p}' '{log: never' '{command: [/bin/false]'; do
		payload n "[$PROBE/bin/probe, print, started, sleep, '300']" \
			$'ports: {p: 7001}\nready: '"$ready, timeout: 1s}"
		fails 6 "not ready within 1" up n
		[[ $output == *started* ]]
	done
	template n <<<$'template: n\nextends: hello\nready: {timeout: 1s}'
	fails 6 "not ready within" up n -e HELLO_NEVER_READY=1
}

@test "each kind of readiness is found when it is there" {
	local ready

	for ready in '{tcp: {port: p}}' '{log: "^up$"}' '{command: [/bin/sh, -c, "test -e /tmp/ready"]}' none; do
		payload y "[/bin/sh, -c, 'touch /tmp/ready; exec $PROBE/bin/probe print up tcp-listen 7001']" \
			$'ports: {p: 7001}\nready: '"$ready"
		stint up y --name y
		is_state y ready
		stint down y
	done
}

@test "malformed and hostile YAML is refused fast, with its place, in bounded memory" {
	local n limit=500000

	# a sanitizer takes the whole address space
	[ -z "${STINT_SANITIZED-}" ] || limit=unlimited
	printf 'template: f\n\trun: x\n' >"$STINT_ROOT/1.yaml"
	printf 'template: [unclosed\n' >"$STINT_ROOT/2.yaml"
	printf 'template: f\nrun: {command: ["a\\0b"]}\n' >"$STINT_ROOT/3.yaml"
	printf 'template: \377\376\n' >"$STINT_ROOT/4.yaml"
	printf '[%.0s' {1..5000} >"$STINT_ROOT/5.yaml"
	{
		printf 'a: &a [x,x,x,x,x,x,x,x,x]\n'
		prev=a
		for name in b c d e f g h i; do
			printf '%s: &%s [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n' "$name" "$name" \
				"$prev" "$prev" "$prev" "$prev" "$prev" "$prev" "$prev" "$prev" "$prev"
			prev=$name
		done
	} >"$STINT_ROOT/6.yaml"
	head -c 5000000 /dev/zero >"$STINT_ROOT/7.yaml"
	yes 'k: v' | head -c 5000000 >"$STINT_ROOT/8.yaml"
	: >"$STINT_ROOT/9.yaml"
	printf -- '---\ntemplate: a\n---\ntemplate: b\n' >"$STINT_ROOT/10.yaml"
	printf 'template: !!python/object:os.system x\n' >"$STINT_ROOT/11.yaml"
	printf 'template: f\nrun: {command: ["${a}"]}\nparams: {a: "${b}", b: "${a}"}\n' >"$STINT_ROOT/12.yaml"
	printf 'just text' >"$STINT_ROOT/13.yaml"
	printf 'template: ../../x\nrun: {command: [/bin/true]}\n' >"$STINT_ROOT/14.yaml"
	for n in {1..14}; do
		run bash -c '[ -n "${STINT_SANITIZED-}" ] || ulimit -v "$2"; exec timeout 10 "$0" template check "$1"' \
			"$STINT" "$STINT_ROOT/$n.yaml" "$limit"
		echo "$n: $status ${output:0:300}"
		[ "$status" -eq 1 ]
		[[ $output == "stint: "*"$n.yaml"* ]]
		[ "${#lines[@]}" -le 3 ]
	done
	run timeout 5 "$STINT" up "$STINT_ROOT/nosuch.yaml"
	[ "$status" -eq 3 ]
	run timeout 5 "$STINT" up "$STINT_ROOT"
	[ "$status" -ne 0 ]
	mkfifo "$STINT_ROOT/fifo.yaml"
	run timeout 5 "$STINT" up "$STINT_ROOT/fifo.yaml"
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
	run timeout 5 "$STINT" up /dev/zero
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
}

@test "hostile words on the command line are words" {
	refused 2 "" up hello --set ''
	refused 2 "" up hello --env =x
	refused 2 "given twice" up hello --name a --name b
	refused 2 "takes no value" up hello --no-wait=yes
	refused 2 "usage: stint up" up
	refused 2 "usage: stint up" up hello tomcat
	refused 2 "unknown option '-Z'" up hello -Z
	refused 2 "usage" ls -- x
	refused 3 "" up ../../etc/passwd || refused 1 "" up ../../etc/passwd
	refused 3 "" show "$(printf 'x%.0s' {1..5000})"
	refused 3 "" show "x'; drop table instances; --"
	refused 2 "control character" up hello -e $'TEXT=two\nlines'
	stint up hello --name safe -e "TEXT=a'b\"c\$d: {e} #f"
	[ "$(stint exec safe -- sh -c 'echo "$TEXT"')" = "a'b\"c\$d: {e} #f" ]
}

@test "without root there is one clear sentence, for each command that needs it" {
	local words

	for words in ls "up hello" "down --all" sweep history "show x"; do
		# shellcheck disable=SC2086 # words
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$STINT" $words
		echo "$words: $status $output"
		[ "$status" -eq 5 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"run it with sudo"* ]]
	done
	for words in "run hello -- true" "exec x -- true" "shell x"; do
		# shellcheck disable=SC2086 # words
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$STINT" $words
		[ "$status" -eq 125 ]
	done
}

# with_full_state COMMANDS: in a mount namespace of its own with a state directory of 512 KiB.
with_full_state()
{
	mkdir -p "$STINT_ROOT/var/lib/stint"
	export STINT_BUILD
	run unshare -m bash -c 'mount -t tmpfs -o size=512k tmpfs "$STINT_ROOT/var/lib/stint" || exit 99
		stint=$0
		fill() { cat /dev/zero >"$STINT_ROOT/var/lib/stint/filler" 2>/dev/null; }
		left() { "$stint" down --all >/dev/null 2>&1; "$stint" sweep >/dev/null || exit 98
			find "$STINT_ROOT"/var/lib/stint/i "$STINT_ROOT"/run/stint/i "$STINT_ROOT"/run/stint/lock \
				-mindepth 1 2>/dev/null | sed "s/^/left: /"; }
		'"$1" "$STINT"
	echo "$status: $output"
	[[ $output != *"left: "* ]]
}

@test "a disk that is full before the start is an error that leaves nothing" {
	with_full_state '
		"$stint" ls >/dev/null || exit 97
		fill
		"$stint" up hello --name two; status=$?
		rm -f "$STINT_ROOT/var/lib/stint/filler"
		left
		exit $status'
	[ "$status" -eq 5 ]
	[[ $output == *"nearly full"* ]]
}

@test "what cannot be forgotten on a full disk has ended all the same, and says so" {
	with_full_state '
		"$stint" up hello --name one >/dev/null 2>&1 || exit 97
		fill
		"$stint" down one && exit 96
		"$stint" ls
		"$stint" sweep && exit 95
		rm "$STINT_ROOT/var/lib/stint/filler"
		"$stint" sweep || exit 94
		left
		"$stint" history one'
	[ "$status" -eq 0 ]
	said="'one' has ended and its files are removed; only its record is left, and goes with the next command"
	[ "$(grep -c "$said.*the disk is full.*: make room on its file system" <<<"$output")" -eq 2 ]
	[[ $output != *"with 'stint down'"* ]]
}

@test "an instance that has filled the disk can still be listed, ended and swept" {
	with_full_state '
		"$stint" up hello --name one >/dev/null 2>&1 || exit 97
		"$stint" exec one -- sh -c "cat /dev/zero >$STINT_BUILD/share/stint/hello/logs/filler" 2>/dev/null
		"$stint" exec one -- true || exit 93
		[ "$("$stint" ls -q)" = one ] || exit 96
		"$stint" show one >/dev/null || exit 95
		"$stint" logs one >/dev/null || exit 94
		"$stint" down one || exit 92
		left
		"$stint" history one'
	[ "$status" -eq 0 ]
	[[ $output == *"one is gone"* ]]
	[[ $output == *"stopped by"* ]]
}

@test "output that cannot be written is said, and no success" {
	run --separate-stderr bash -c '"$0" template ls >/dev/full' "$STINT"
	[ "$status" -eq 1 ]
	[[ $stderr == "stint: cannot write the output, but all else is done: No space left on device" ]]
}
