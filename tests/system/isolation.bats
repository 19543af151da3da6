#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The world as the payload sees it, and what two instances see of one another.
load helper

# What the payload says about its world, into the file report.
report()
{
	payload world "[$PROBE/bin/probe, report]" 'ready: none'
	stint run world >"$STINT_ROOT/report"
}

value()
{
	sed -n "s|^$1=||p" "$STINT_ROOT/report"
}

@test "every namespace but the user's is the instance's own, and each instance's differs" {
	local kind

	report
	cp "$STINT_ROOT/report" "$STINT_ROOT/first"
	report
	for kind in pid mnt net uts ipc cgroup; do
		echo "$kind: $(value "ns.$kind")"
		[[ $(value "ns.$kind") =~ ^$kind: ]]
		[ "$(value "ns.$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
	done
	stint up hello --name a
	stint up hello --name b
	for kind in pid mnt net uts ipc cgroup; do
		[ "$(stint exec a -- readlink "/proc/self/ns/$kind")" != "$(stint exec b -- readlink "/proc/self/ns/$kind")" ]
	done
}

@test "the host name is the id, and the payload sees itself below init only" {
	stint up hello --name a
	[ "$(stint exec a -- hostname)" = "$(id_of a)" ]
	[ "$(stint exec a -- cat /etc/hostname)" = "$(id_of a)" ]
	[[ $(stint exec a -- cat /etc/hosts) == *"$(id_of a)"* ]]
	[ "$(stint exec a -- cat /proc/1/comm)" = stint-init ]
	[ "$(stint exec a -- sh -c 'cat /proc/[0-9]*/comm' | grep -vx 'sh\|cat' | sort)" = $'hello\nstint-init' ]
}

@test "no capability, no new privileges, no descriptor, nothing of the caller's environment" {
	local set

	exec 9<"$BATS_TEST_FILENAME"
	(cd /usr && SECRET_OF_CALLER=x TERM=xyz report)
	exec 9<&-
	for set in inheritable permitted effective bounding ambient; do
		[[ $(value "cap.$set") =~ ^0+$ ]]
	done
	[ "$(value no_new_privs)" = 1 ]
	[ "$(value tty)" = '!ENXIO' ]
	[ "$(value cwd)" = / ]
	[ "$(value umask)" = 0022 ]
	[ "$(value signals.blocked)" = 0000000000000000 ]
	[ "$(value signals.ignored)" = 0000000000000000 ]
	run ! grep -q "SECRET_OF_CALLER\|STINT_ROOT\|BATS\|xyz" "$STINT_ROOT/report"
	[ "$(grep -c '^fd\.' "$STINT_ROOT/report")" -eq 3 ]
	for fd in 0 1 2; do
		[ -n "$(value "fd.$fd")" ]
		[[ $(value "fd.$fd") != "$STINT_ROOT"* ]]
	done
}

@test "set-user-id programs give nothing" {
	stint up hello --name s
	stint exec s --user 65534 -- sh -c 'test "$(id -u)" = 65534'
	if [ -u /usr/bin/su ]; then
		run stint exec s --user 65534 -- su -c id root
		[[ $output != *"uid=0"* ]]
	fi
	for words in "mount -t tmpfs none /mnt" "chroot / true" "mknod /tmp/disk b 8 0" \
		"hostname other" "kill -KILL 1" "unshare -m true"; do
		# shellcheck disable=SC2086 # words
		run stint exec s -- $words
		echo "$words: $status $output"
		[ "$status" -ne 0 ] || [ "$words" = "kill -KILL 1" ]
	done
	[ "$(state_of s)" = ready ]
	[ "$(stint exec s -- hostname)" = "$(id_of s)" ]
}

@test "mounts inside are the list's: the install an overlay, /usr read-only, nothing shared with the host" {
	report
	grep -q "^mount\.$PROBE=overlay" "$STINT_ROOT/report"
	grep -q '^mount\./usr=.*\bro\b' "$STINT_ROOT/report"
	[ -z "$(grep '^mount\./\(home\|root\|boot\|mnt\|var\|srv\)' "$STINT_ROOT/report" | grep -v "^mount\.$PROBE=")" ]
	run ! grep '^mount\..*\(shared\|master\):' "$STINT_ROOT/report"
}

@test "nothing of the host's files is there but the list" {
	stint up hello --name v
	mkdir "$STINT_ROOT/not-for-inside"
	for path in /home /root/.ssh /var/lib/dpkg /boot /mnt /srv /etc/shadow /etc/ssh "$STINT_ROOT" /opt/node-red \
		/run/dbus /lib/systemd/system/../../../../../home; do
		run stint exec v -- ls -A "$path"
		echo "$path: $status $output"
		[ "$status" -ne 0 ] || [ -z "$output" ]
	done
	[ "$(stint exec v -- sh -c 'ls -A /dev/disk /dev/mem /dev/kmsg /dev/sda /dev/vda 2>/dev/null' | wc -l)" -eq 0 ]
	[ "$(stint exec v -- find /dev -type b | wc -l)" -eq 0 ]
	for path in /usr /sys /proc/sys; do
		run stint exec v -- touch "$path/new"
		[ "$status" -ne 0 ]
	done
	for path in /tmp /run /dev/shm; do
		stint exec v -- touch "$path/new"
		[ ! -e "$path/new" ]
	done
	for device in null zero full random urandom; do
		stint exec v -- test -c "/dev/$device"
	done
}

@test "the kernel's switches cannot be moved, and its secrets not be read" {
	stint up hello --name k
	for path in /proc/sys/kernel/core_pattern /proc/sys/kernel/sysrq /proc/sysrq-trigger \
		/sys/kernel/uevent_helper /proc/sys/vm/drop_caches; do
		before=$(cat "$path" 2>/dev/null || true)
		run stint exec k -- sh -c "echo 1 >$path"
		[ "$status" -ne 0 ]
		[ "$(cat "$path" 2>/dev/null || true)" = "$before" ]
	done
	for path in /proc/kcore /proc/keys /proc/timer_list; do
		[ "$(stint exec k -- sh -c "head -c 100 $path 2>/dev/null" | wc -c)" -eq 0 ]
	done
}

@test "the network inside is the instance's own address on its loopback, and nothing else" {
	stint up hello --name n
	[ "$(stint exec n -- ls /sys/class/net)" = lo ] || [ "$(stint exec n -- sh -c 'tail -n +3 /proc/net/dev | wc -l')" -eq 1 ]
	address=$(stint show n --json | jq -r .address)
	[[ $(stint exec n -- curl -s --max-time 5 "http://$address:5555/") == hello* ]]
	[[ $(stint exec n -- curl -s --max-time 5 "http://$(id_of n):5555/") == hello* ]]
	[ "$(ls /sys/class/net)" = "$DEVICES_BEFORE" ]
	# neither the host's services nor another instance's can be reached
	stint up hello --name m
	run stint exec m -- curl -s --max-time 2 "http://$address:5555/"
	[ "$status" -ne 0 ]
	run stint exec n -- curl -s --max-time 2 "http://127.0.0.1:$(port_of m)/"
	[ "$status" -ne 0 ]
	# not by the path of abstract sockets, which belong to the network namespace
	payload l "[$PROBE/bin/probe, print, up, unix-listen, '@stint-test']" 'ready: {log: up}'
	stint up l --name l
	run stint exec l -- "$PROBE/bin/probe" unix-connect @stint-test
	[ "$status" -eq 0 ]
	run "$PROBE/bin/probe" unix-connect @stint-test
	[ "$status" -ne 0 ]
	run stint exec m -- ls "$PROBE"
	[ "$status" -ne 0 ]
}

@test "two instances see neither files, processes nor shared memory of one another" {
	local home=$STINT_BUILD/share/stint/hello

	stint up hello --name a
	stint up hello --name b
	for path in /tmp/file /run/file /dev/shm/file "$home/file"; do
		stint exec a -- sh -c "echo of-a >$path"
		run stint exec b -- cat "$path"
		[ "$status" -ne 0 ]
		stint exec b -- sh -c "echo of-b >$path"
		[ "$(stint exec a -- cat "$path")" = of-a ]
	done
	stint exec a -- sh -c 'ipcmk -M 4096 >/dev/null'
	[ "$(stint exec b -- sh -c 'tail -n +2 /proc/sysvipc/shm | wc -l')" -eq 0 ]
	[ "$(stint exec a -- sh -c 'tail -n +2 /proc/sysvipc/shm | wc -l')" -eq 1 ]
	"$STINT" exec a -- sleep 61243 3>&- &
	sleeps() { stint exec a -- sh -c 'cat /proc/[0-9]*/comm' | grep -qx sleep; }
	eventually 5 sleeps
	run ! stint exec b -- sh -c 'cat /proc/[0-9]*/comm | grep -x sleep'
	stint down a
	wait
}

@test "whatever is done to the install inside, the install is the same to the last attribute" {
	local home=$STINT_BUILD/share/stint/hello

	picture() { (cd "$home" && find . -printf '%p %y %m %U %G %s %l %T@ %C@\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum); }
	before=$(picture)
	stint up hello --name w
	stint exec w -- sh -c "cd $home && echo changed >>config/server.cnf && chmod 0600 packages/orders &&
		rm packages/greeting && mv packages elsewhere && mkdir packages && touch -d 2001-01-01 bin/hello &&
		ln -sf /etc/passwd config/link && : >logs/new && cp bin/hello bin/other && ln bin/other bin/third"
	get -X PUT --data x "http://127.0.0.1:$(port_of w)/flow/x" >/dev/null || true
	[ "$(stint exec w -- tail -n 1 "$home/config/server.cnf")" = changed ]
	[ "$(picture)" = "$before" ]
	stint down w
	[ "$(picture)" = "$before" ]
}
