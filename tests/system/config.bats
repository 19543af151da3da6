#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The configuration of the host: what is started follows it, what has ended does not need it.
load helper

configure()
{
	cat >"$STINT_ROOT/etc/stint/stint.yaml"
}

@test "instances get addresses and groups as the configuration says" {
	configure <<-EOF
		addresses: 10.99.8.0/29
		cgroup: $GROUP-own
	EOF
	stint up hello --name a
	[ "$(stint show a --json | jq -r .address)" = 10.99.8.1 ]
	find "$CONTROLLERS" -path "*/$GROUP-own/$(id_of a)/server" | grep -q .
	# an instance ends as it was made
	echo "addresses: 10.213.0.0/16" | configure
	stint down a
	nothing_left
	[ -z "$(find "$CONTROLLERS" -maxdepth 2 -name "$GROUP-own")" ]
}

@test "a mistake in the configuration stops every command that reads it, with its place" {
	echo 'adresses: 10.99.8.0/29' | configure
	for command in "up hello" ls "show x" "down x" history sweep "exec x -- true"; do
		run stint $command
		[ "$status" -ne 0 ]
		[[ $output == *"stint.yaml:1:1: key 'adresses': unknown key; did you mean 'addresses'?"* ]]
	done
	run stint doctor
	[ "$status" -eq 1 ]
	[[ $output == *"did you mean 'addresses'?"* ]]
	stint plan hello >/dev/null
	stint template ls >/dev/null
	rm "$STINT_ROOT/etc/stint/stint.yaml"
}

@test "an instance ends whatever is in the configuration by then" {
	stint up hello --name a --ttl 2s
	echo 'nonsense' | configure
	eventually 20 is_empty "$STINT_ROOT/var/lib/stint/i"
	rm "$STINT_ROOT/etc/stint/stint.yaml"
	[ "$(stint history a --json | jq -r '.[0].reason')" = expired ]
}

is_empty()
{
	[ -z "$(ls -A "$1")" ]
}

@test "a configuration that others can write is refused" {
	echo 'cgroup: x' | configure
	chmod 666 "$STINT_ROOT/etc/stint/stint.yaml"
	refused 5 "can be written by others" up hello
	chmod 644 "$STINT_ROOT/etc/stint/stint.yaml"
	chmod 777 "$STINT_ROOT/etc/stint"
	refused 5 "can be written by others" ls
	chmod 755 "$STINT_ROOT/etc/stint"
	chown 65534 "$STINT_ROOT/etc/stint/stint.yaml"
	refused 5 "belongs to user 65534" ls
	rm "$STINT_ROOT/etc/stint/stint.yaml"
}

@test "ids that somebody has are refused" {
	local first

	first=$((65536 * 100))
	configure <<-EOF
		ids: {first: $first, count: 1}
	EOF
	stint up hello --name a
	stint down a
	# another /etc/passwd, for this command only
	unshare -m bash -c 'echo "victim:x:$1:0::/:/bin/false" >"$2/passwd" &&
		cat /etc/passwd >>"$2/passwd" && mount --bind "$2/passwd" /etc/passwd && shift 2 && "$@"' \
		- "$first" "$STINT_ROOT" "$STINT" up hello >"$STINT_ROOT/out" 2>&1 && return 1
	grep -q "also those of 'victim' in '/etc/passwd'" "$STINT_ROOT/out"
}
