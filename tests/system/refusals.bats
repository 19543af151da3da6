#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input gets a sentence and an exit code, and leaves nothing.
load helper

template()
{
	cat >"$STINT_ROOT/etc/stint/templates/$1.yaml"
}

# refused STATUS PATTERN COMMAND...
refused()
{
	local wanted=$1 pattern=$2
	shift 2
	run stint "$@"
	echo "status $status: $output"
	[ "$status" -eq "$wanted" ]
	[[ $output == *$pattern* ]]
}

@test "wrong usage exits 2 and says what would be right" {
	refused 2 "did you mean 'up'" upp
	refused 2 "did you mean '--name'" up hello --nme x
	refused 2 "needs a value" up hello --name
	refused 2 "is no duration" up hello --ttl abc
	refused 2 "is no time" up hello --until 25:00
	refused 2 "exclude one another" up hello --ttl 1h --until 18:00
	refused 2 "is no name" up hello --name 'A b'
	refused 2 "has no port named 'nope'; it has: http" up hello -p 1:nope
	refused 2 "name instances" down
	refused 2 "usage: stint up" up
	refused 2 "no parameter" up hello --set nosuch=1 || refused 2 "nosuch" up hello --set nosuch=1
}

@test "what does not exist exits 3" {
	refused 3 "did you mean 'tomcat'" up tomcatt
	refused 3 "no instance 'nope'" show nope
	refused 3 "no instance 'nope'" down nope
	refused 3 "no instance 'nope'" logs nope
	refused 3 "no instance 'nope'" extend nope +1h
	refused 3 "no instance 'nope'" diff nope
	refused 125 "no instance 'nope'" exec nope -- true
	refused 125 "no template" run nope -- true
}

@test "what this version cannot enforce is refused with 5" {
	refused 5 "cannot be enforced" up hello --memory 1G
	refused 5 "cannot be enforced" up hello --cpus 2
	refused 5 "beyond the template's maximum" up hello --ttl 99h
	for line in 'limits: {memory: 1G}' 'limits: {pids: 100}' 'limits: {disk: 1G}' 'limits: {cpu: 2}' \
		'limits: {files: 100}' 'lease: {idle: 30m}' 'network: {egress: internet}' 'network: {zone: red}'; do
		printf 'template: l\nextends: hello\n%s\n' "$line" | template l
		refused 5 "cannot be enforced" up l
	done
}

@test "a missing install directory is named" {
	template m <<<$'template: m\ninstall: /nonexistent/dir\nrun: {command: [/bin/true]}'
	refused 1 "install directory '/nonexistent/dir' does not exist" up m
}

@test "an unknown user and a missing command are named" {
	template u <<<$'template: u\nextends: hello\nrun: {user: nosuchuser}'
	refused 1 "user 'nosuchuser' does not exist" up u
	template c <<<$'template: c\nextends: hello\nrun: {command: [/opt/x/server]}'
	refused 1 "command '/opt/x/server' does not exist inside" up c
}

@test "a server that exits at once is shown with its last lines" {
	refused 1 "end as asked for" up hello -e HELLO_EXIT_AFTER=0 -e HELLO_EXIT_STATUS=3
	[[ $output == *"exited with status 3"* ]]
	[ "$(stint ls)" = "no instances" ]
}

@test "a server that never gets ready exits 6" {
	template n <<<$'template: n\nextends: hello\nready: {timeout: 1s}'
	refused 6 "not ready within 1.0s" up n -e HELLO_NEVER_READY=1 || refused 6 "not ready within 1s" up n -e HELLO_NEVER_READY=1
	[ "$(stint ls)" = "no instances" ]
}

@test "malformed and hostile YAML is refused with its place" {
	template b <<<$'template: b\nrun:\n  comand: [a]'
	refused 1 "b.yaml:3:3: key 'run.comand': unknown key; did you mean 'command'?" up b
	printf 'a: &a [x]\nb: [*a, *a]\n' | template b
	refused 1 "b.yaml:" up b
	printf '[%.0s' {1..2000} | template b
	refused 1 "b.yaml:" up b
	printf 'template: b\nrun: {command: ["a\\0b"]}\n' | template b
	refused 1 "b.yaml:" up b
	head -c 2000000 /dev/zero | template b
	refused 1 "b.yaml" up b
}

@test "without root there is one clear sentence" {
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$STINT" ls
	[ "$status" -eq 5 ]
	[[ $output == *"run it with sudo"* ]]
}

@test "a full state directory is an error that leaves nothing" {
	mkdir -p "$STINT_ROOT/var/lib/stint"
	run unshare -m bash -c '
		mount -t tmpfs -o size=256k tmpfs "$STINT_ROOT/var/lib/stint" || exit 99
		"$0" up hello --name one --ttl 1m >/dev/null 2>&1
		"$0" down --all >/dev/null 2>&1
		head -c 1M /dev/zero >"$STINT_ROOT/var/lib/stint/filler" 2>/dev/null
		"$0" up hello --name two; status=$?
		rm -f "$STINT_ROOT/var/lib/stint/filler"
		"$0" sweep >/dev/null || exit 98
		find "$STINT_ROOT"/var/lib/stint/i "$STINT_ROOT"/run/stint/i -mindepth 1
		exit $status' "$STINT"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"stint: "* ]]
	[[ $output != *"/i/"* ]]
}
