#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What all instances of a host may have together: refused with the figures, and with what would help.
load helper

configure()
{
	cat >"$STINT_ROOT/etc/stint/stint.yaml"
}

@test "the sum of memory limits holds at its edge" {
	payload p "[/bin/sleep, 600]"
	configure <<<"host: {memory_limits: 300M}"
	stint up p --name a --memory 200M
	stint up p --name free
	refused 5 "may add up to 300 MiB on this host; they are at 200 MiB, and this one wants 101 MiB" \
		up p --name b --memory 101M
	[[ $output == *"'stint down a' would give back 200 MiB"* ]]
	stint up p --name b --memory 100M
	refused 5 "they are at 300 MiB" up p --name c --memory 1M
	refused 5 "this one alone wants 301 MiB" up p --name c --memory 301M
	# nothing is left of what was refused, and run has its own exit code
	[ "$(stint ls -q | sort | xargs)" = "a b free" ]
	run stint run p --memory 1M -- true
	[ "$status" -eq 125 ]
	[[ $output == *"they are at 300 MiB"* ]]
	stint down a
	stint up p --name c --memory 200M
}

@test "without a limit an instance counts as it is said" {
	payload p "[/bin/sleep, 600]"
	configure <<<"host: {memory_limits: 300M, memory_unlimited: 150M}"
	stint up p --name a
	stint up p --name b
	refused 5 "they are at 300 MiB, and this one wants 150 MiB" up p --name c
	configure <<<"host: {memory_limits: none, memory_unlimited: 150M}"
	stint up p --name c
}

@test "by default the whole memory of the host can be promised, and not more" {
	local mib=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) / 1024))

	payload p "[/bin/sleep, 600]"
	stint up p --name a --memory "$((mib / 2))M"
	refused 5 "on this host" up p --name b --memory "$((mib / 2 + 64))M"
	configure <<<"host: {memory_limits: 200%}"
	stint up p --name b --memory "$((mib / 2 + 64))M"
}

@test "a successor counts as its predecessor does, and one that is kept as none" {
	payload p "[/bin/sleep, 600]" 'ready: none'
	payload fails "[/bin/sh, -c, 'exit 3']" 'ready: {timeout: 5s, log: never}'
	configure <<<"host: {memory_limits: 300M}"
	stint up p --name a --memory 300M
	stint replace a
	refused 5 "they are at 300 MiB" up p --name b --memory 1M
	refused 5 "wants 301 MiB" replace a p --memory 301M
	[ "$(stint ls -q)" = a ]
	stint down a
	run stint up fails --name k --memory 300M --keep-failed 5m
	[ "$status" -ne 0 ]
	[ "$(stint show k --json | jq -r .state)" = kept ]
	stint up p --name b --memory 300M
	stint down k
}

@test "a start that would leave less than the reserve of the disk is refused" {
	local free
	free=$(($(stat -f -c '%a * %S' "$STINT_ROOT") / 1048576))
	payload p "[/bin/sleep, 600]"
	configure <<<"host: {disk_free: $((free * 2))M}"
	refused 5 "of which" up p
	[[ $output == *"stay free"* ]]
	configure <<<"host: {disk_free: 64k}"
	stint up p
}

@test "ids and addresses that are out are refused with what frees one" {
	payload p "[/bin/sleep, 600]"
	configure <<<"addresses: 10.99.8.0/29"
	for name in a b c d e f; do
		stint up p --name "$name" --no-wait
	done
	refused 5 "all 6 instance addresses from 10.99.8.1 on are in use: 'stint down a' would end the oldest" \
		up p
	configure <<<"ids: {count: 6}"
	refused 5 "all 6 ranges of user ids from 1310720000 on are in use" up p
	[[ $output == *"'stint down a' would end the oldest of yours; or raise 'ids.count' in stint.yaml"* ]]
	stint down --all --now
	configure <<<"ids: {count: 1}"
	stint up p --name a --no-wait
	refused 5 "the only range of user ids from 1310720000 on is in use: " up p
}

@test "20 starts at once against room for 3" {
	local i

	payload p "[/bin/sleep, 600]"
	configure <<<"host: {memory_limits: 300M}"
	for ((i = 0; i < 20; i++)); do
		stint up p --memory 100M >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	[ "$(stint ls -q | wc -l)" -eq 3 ]
	[ "$(grep -l "they are at 300 MiB" "$STINT_ROOT"/out.* | wc -l)" -eq 17 ]
}
