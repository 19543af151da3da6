#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A host with many threads, where roots are put on an empty mount namespace that keepers pass on.
load helper

# The empty mount namespace that the keeper of each instance holds.
empty_of()
{
	local keeper

	keeper=$(processes_of stint-keeper "$1")
	readlink "/proc/$keeper"/fd/* | grep -x 'mnt:\[[0-9]*\]' || true
}

# What is mounted inside, and how: without numbers that no two have in common.
mounts_of()
{
	stint exec "$1" -- cat /proc/self/mountinfo | sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ //; s/[ug]id=[0-9]+/id/g; s|/proc/self/fd/[0-9]+|FD|g' |
		sed "s/$(id_of "$1")/ID/g" | sort
}

@test "the root is the same as on any host, and nothing else can be seen" {
	stint up hello --name before
	# the host may have had as many by itself
	[ "$(sed 's|.*/\([0-9]*\) .*|\1|' /proc/loadavg)" -ge 1000 ] || [ -z "$(empty_of before)" ]
	start_threads 1200
	stint up hello --name after
	[ -n "$(empty_of after)" ]
	diff <(mounts_of before) <(mounts_of after)
	diff <(stint exec before -- ls -la / | awk '{ print $1, $9 }') \
		<(stint exec after -- ls -la / | awk '{ print $1, $9 }')
	[ "$(stint exec after -- stat -c %i / /.. /../.. | sort -u | wc -l)" -eq 1 ]
	get "http://127.0.0.1:$(port_of after)/" >/dev/null
}

@test "instances pass it on, and it goes with the last" {
	start_threads 1200
	stint up hello --name a
	stint up hello --name b
	[ -n "$(empty_of a)" ]
	[ "$(empty_of a)" = "$(empty_of b)" ]
	stint down a
	stint up hello --name c
	[ "$(empty_of c)" = "$(empty_of b)" ]
	# each has mounts of its own all the same
	[ "$(stint exec b -- readlink /proc/self/ns/mnt)" != "$(stint exec c -- readlink /proc/self/ns/mnt)" ]
	stint down --all
	nothing_left
}

@test "a keeper that does not answer keeps nobody from starting" {
	local keeper

	start_threads 1200
	stint up hello --name a
	keeper=$(processes_of stint-keeper a)
	kill -STOP "$keeper"
	stint up hello --name b
	kill -CONT "$keeper"
	[ -n "$(empty_of b)" ]
	[ "$(empty_of a)" != "$(empty_of b)" ]
	kill_process stint-keeper b
	stint up hello --name c
	[ -n "$(empty_of c)" ]
}

@test "reset, exec and a spare work as on any host" {
	start_threads 1200
	stint up hello --name a
	stint exec a -- sh -c 'echo changed >/tmp/file'
	stint reset a
	run ! stint exec a -- cat /tmp/file
	get "http://127.0.0.1:$(port_of a)/" >/dev/null
	[ "$(echo word | stint exec a -- cat)" = word ]
}
