#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What holds an instance beyond its namespaces: files confined with Landlock, keys of its own.
load helper

need_landlock()
{
	stint doctor | grep -q 'ok *Landlock' || skip "this kernel is without Landlock"
}

@test "root inside writes where an instance writes, and not to the root directory or beside it" {
	need_landlock
	stint up hello --name f
	for path in /tmp /run /var /etc /dev/shm /root "$STINT_BUILD/share/stint/hello"; do
		stint exec f --user 0 -- sh -c "touch $path/new && mkdir $path/made && mv $path/new $path/made/old &&
			rm -r $path/made"
	done
	stint exec f --user 0 -- sh -c 'echo other >/proc/self/comm'
	for path in / /opt /dev /proc /usr /sys/fs/cgroup; do
		run stint exec f --user 0 -- touch "$path/new"
		echo "$path: $output"
		[ "$status" -ne 0 ]
	done
	run stint exec f --user 0 -- mkdir /new
	[[ $output == *"Permission denied"* ]]
}

@test "not even a whiteout of an overlay can be made as a device" {
	stint up hello --name d
	for path in /tmp "$STINT_BUILD/share/stint/hello"; do
		run stint exec d --user 0 -- mknod "$path/whiteout" c 0 0
		echo "$output"
		[ "$status" -ne 0 ]
		stint exec d --user 0 -- mkfifo "$path/fifo"
	done
	# a file of the install goes, which is the overlay's own whiteout
	stint exec d --user 0 -- rm "$STINT_BUILD/share/stint/hello/bin/hello"
	[[ $(stint diff d) == *hello/bin/hello* ]]
}

@test "streams open again by their names, and commands see the server's world" {
	stint up hello --name s
	[ "$(echo text | stint exec s -- sh -c 'cat /dev/stdin >/dev/stdout')" = text ]
	[ "$(stint exec s -- sh -c 'echo word >/dev/stderr' 2>&1 >/dev/null)" = word ]
	stint exec s -- sh -c 'readlink /proc/2/exe && ls /proc/2/fd /proc/2/root/tmp' >/dev/null
	stint exec s -- sh -c 'exec 3>/tmp/gone; rm /tmp/gone; echo x >/proc/self/fd/3; cat /proc/self/fd/3'
	stint exec s -- kill -0 2
}
