#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The limit of what an instance writes: each backend that this host has is filled from inside until
# it says that there is no more room, and nothing but the figure is ever missing on the host.
load helper

MIB=1048576

# An install of its own, with a server that does nothing by itself.
# disk_template NAME [MORE-YAML]
disk_template()
{
	I=$STINT_ROOT/install
	mkdir -p "$I"
	echo old >"$I/old"
	template "$1" <<END
template: $1
install: $I
run: {command: [/bin/sleep, '300']}
limits: {disk: 100M}
ready: none
lease: {ttl: 5m}
${2-}
END
}

need_loop()
{
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	[ -x /usr/sbin/mke2fs ] || skip "no mke2fs"
}

# by NAME: what holds the limit of that instance.
by()
{
	stint show "$1" --json | jq -r .limits.disk.by
}

# need WORDS SIZE: skips the test where something else holds a limit of that size.
need()
{
	local by

	stint up d --name trial --disk "$2"
	by=$(by trial)
	stint down trial --now
	[[ $by == *"$1"* ]] || skip "$2 are held by $by here"
}

# What people read when there is no more room; ext4 says the latter of a quota.
says_full()
{
	[[ $1 == *"No space left on device"* || $1 == *"Disk quota exceeded"* ]]
}

# Writes a file inside until it fails, and prints how long it got: fill_inside NAME FILE
fill_inside()
{
	stint exec "$1" -- sh -c "head -c 10G /dev/zero >'$2' 2>/dev/null; stat -c %s '$2'"
}

images_in_use()
{
	losetup -a | grep -c "$STINT_ROOT/" || true
}

no_image_in_use()
{
	[ "$(images_in_use)" -eq 0 ]
}

# Bytes of the host's disk that this root takes.
host_used()
{
	du -sB1 "$STINT_ROOT" | cut -f1
}

@test "a small limit is held in memory, and everything that is written counts" {
	local in_install in_tmp

	disk_template d
	need "in memory" 32M
	stint up d --name x --disk 32M
	[ "$(images_in_use)" -eq 0 ]
	in_install=$(fill_inside x "$I/big")
	[ "$in_install" -gt $((25 * MIB)) ]
	[ "$in_install" -lt $((32 * MIB)) ]
	in_tmp=$(fill_inside x /tmp/big)
	[ "$in_tmp" -lt $MIB ]
	run stint exec x -- cp /etc/passwd /var/lib/file
	[ "$status" -ne 0 ]
	[[ $output == *"No space left"* ]]
	[ "$(cat "$I"/*)" = old ]
	stint exec x -- rm "$I/big"
	stint exec x -- cp /etc/passwd /var/lib/file
}

@test "an image holds its figure: 95 % into the install, ENOSPC, the host misses nothing more" {
	local before after written

	need_loop
	disk_template d
	need image 256M
	stint up d --name x --disk 256M
	before=$(host_used)
	[ "$before" -ge $((245 * MIB)) ]
	written=$(fill_inside x "$I/big")
	echo "$written of $((256 * MIB))"
	[ "$written" -ge $((256 * MIB * 94 / 100)) ]
	[ "$written" -le $((256 * MIB)) ]
	after=$(host_used)
	echo "$before before, $after after"
	[ $((after - before)) -lt $((2 * MIB)) ]
	run stint exec x -- sh -c "echo more >/home/x || echo more >/tmp/x"
	[ "$status" -ne 0 ]
	stint down x
	eventually 10 no_image_in_use
}

# The limits of the project of that number, as the kernel has them: blocks and files, 0 for none.
quota_of()
{
	repquota -Pnv "$(findmnt -nro TARGET -T "$STINT_ROOT")" | awk -v id="#$1" '
		$1 == id { found = 1; print $5, $8 }
		END { if (!found) print "0 0" }'
}

@test "a project quota holds its figure, nobody inside gets out of it, and it goes with the end" {
	local written id limits

	disk_template d
	need "project quota" 100M
	command -v repquota >/dev/null || skip "no repquota"
	stint up d --name x --disk 256M
	id=$(stint exec x -- awk 'NR == 1 { print $2 }' /proc/self/uid_map)
	limits=$(quota_of "$id")
	echo "project $id: $limits"
	[ "${limits% *}" -gt $((240 * 1024)) ]
	[ "${limits#* }" -gt 1000 ]
	for command in "chattr -p 0 '$I'" "chattr -p 0 /tmp" "chattr -P /tmp" "chattr -P '$I'" \
		"touch /tmp/f && chattr -p 0 /tmp/f" "mkdir /tmp/d && chattr -P /tmp/d"; do
		run stint exec x -- sh -c "$command"
		echo "$command: $status $output"
		[ "$status" -ne 0 ]
	done
	[ "$(stint exec x -- lsattr -p /tmp/f | awk '{ print $1 }')" = "$id" ]
	written=$(fill_inside x "$I/big")
	echo "$written of $((256 * MIB))"
	[ "$written" -ge $((256 * MIB * 94 / 100)) ]
	[ "$written" -le $((256 * MIB)) ]
	run stint exec x -- cp /etc/passwd /tmp/more
	says_full "$output"
	run stint cp /bin/bash x:/tmp/copied
	echo "cp: $status $output"
	[ "$status" -ne 0 ]
	stint down x --now
	[ "$(quota_of "$id")" = "0 0" ]
}

@test "all writable places together end at the figure" {
	local place sum=0 n

	need_loop
	disk_template d
	for figure in 24 100; do
		sum=0
		stint up d --name "x$figure" --disk "${figure}M"
		for place in "$I" /tmp /var/tmp /var/lib /run /root /dev/shm /dev / /etc; do
			n=$(fill_inside "x$figure" "$place/filling" || true)
			sum=$((sum + ${n:-0}))
		done
		echo "$figure: $sum"
		[ "$sum" -le $((figure * MIB)) ]
		[ "$sum" -ge $((figure * MIB * 90 / 100)) ]
	done
}

@test "a flood of empty files ends" {
	disk_template d
	stint up d --name x --disk 32M
	run stint exec x -- sh -c "cd '$I' && i=0; while : >f\$i; do i=\$((i + 1)); done; echo \$i"
	says_full "$output"
	[ "$(ls "$I")" = old ]
}

@test "diff and cp work with each backend" {
	local size sizes=(32M)

	disk_template d
	[ ! -w /dev/loop-control ] || sizes+=(100M)
	for size in "${sizes[@]}"; do
		stint up d --name x --recreate --disk "$size"
		stint exec x -- sh -c "echo new >'$I/new'; rm '$I/old'"
		diff <(stint diff x) <(printf 'A %s\nD %s\n' "$I/new" "$I/old")
		stint cp "x:$I/new" "$STINT_ROOT/copy"
		[ "$(cat "$STINT_ROOT/copy")" = new ]
	done
}

@test "a killed keeper leaves no device and no mount, and a sweep no image" {
	local id

	need_loop
	disk_template d
	need image 100M
	stint up d --name x
	id=$(id_of x)
	[ "$(images_in_use)" -eq 1 ]
	[ -e "$STINT_ROOT/var/lib/stint/i/$id/image" ]
	kill -KILL "$(processes_of stint-keeper x | head -1)"
	eventually 10 no_image_in_use
	[ "$(sort /proc/self/mountinfo)" = "$MOUNTS_BEFORE" ]
	stint sweep
	[ ! -e "$STINT_ROOT/var/lib/stint/i/$id" ]
}

@test "five at once" {
	local i pids=()

	need_loop
	disk_template d
	for i in 1 2 3 4 5; do
		stint up d --name "x$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[[ $(by x1) != *image* ]] || [ "$(images_in_use)" -eq 5 ]
	for i in 1 2 3 4 5; do
		stint exec "x$i" -- sh -c "echo $i >'$I/old'"
	done
	for i in 1 2 3 4 5; do
		[ "$(stint exec "x$i" -- cat "$I/old")" = "$i" ]
	done
	stint down --all --now
	eventually 10 no_image_in_use
}

@test "show says what was asked, what is set, what is used and what holds it" {
	local limit

	disk_template d
	stint up d --name x --disk 32M
	stint exec x -- sh -c "head -c 10M /dev/zero >'$I/big'"
	limit=$(stint show x --json | jq .limits.disk)
	echo "$limit"
	[ "$(jq .asked <<<"$limit")" -eq $((32 * MIB)) ]
	# an image has whole groups of blocks
	[ "$(jq .set <<<"$limit")" -le $((32 * MIB)) ]
	[ "$(jq .set <<<"$limit")" -gt $((31 * MIB)) ]
	[ "$(jq .used <<<"$limit")" -ge $((10 * MIB)) ]
	[ "$(jq .used <<<"$limit")" -lt $((11 * MIB)) ]
	[[ $(jq -r .by <<<"$limit") == *" "* ]]
	run stint show x
	[[ $output == *"limit disk"*"32 MiB, uses 10 MiB"* ]]
}

# A small disk of its own as the state directory, a quarter of it kept for root; COMMANDS run there.
on_a_disk()
{
	truncate -s 128M "$STINT_ROOT/disk"
	mke2fs -q -t ext4 -m 25 "$STINT_ROOT/disk"
	mkdir -p "$STINT_ROOT/var/lib/stint"
	export STINT I
	run unshare -m bash -c 'mount -o loop "$STINT_ROOT/disk" "$STINT_ROOT/var/lib/stint" || exit 99
		stint=$STINT
		free() { stat -f -c "%f * %S" "$STINT_ROOT/var/lib/stint"; }
		'"$1"
	echo "$status: $output"
}

@test "without a limit, an instance cannot fill what a disk keeps for root" {
	need_loop
	disk_template d
	on_a_disk '
		sed -i /^limits/d "$STINT_ROOT/etc/stint/templates/d.yaml"
		"$stint" up d --name x >/dev/null 2>&1 || exit 98
		"$stint" exec x -- sh -c "head -c 1G /dev/zero >$I/big" 2>/dev/null && exit 97
		echo "left=$(($(free)))"
		"$stint" up d --name y && exit 96
		"$stint" down x'
	[ "$status" -eq 0 ]
	[[ $output == *"nearly full"* ]]
	[[ $output =~ left=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt $((25 * MIB)) ]
}

@test "an image takes what is free, and never what a disk keeps for root" {
	need_loop
	disk_template d
	on_a_disk '
		"$stint" up d --name x --disk 110M && exit 98
		"$stint" up d --name x --disk 80M >/dev/null 2>&1 || exit 97
		echo "before=$(($(free)))"
		"$stint" exec x -- sh -c "head -c 1G /dev/zero >$I/big" 2>/dev/null && exit 96
		sync -f "$STINT_ROOT/var/lib/stint"
		echo "left=$(($(free)))"
		"$stint" down x'
	[ "$status" -eq 0 ]
	[[ $output == *"the disk limit needs"* ]]
	[[ $output =~ left=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt $((25 * MIB)) ]
}

@test "where nothing can hold the limit, --best-effort goes without and says so" {
	disk_template d
	need image 100M
	stint up d --name x --disk 900T --best-effort
	[ "$(stint show x --json | jq .limits.disk.enforced)" = false ]
	run stint show x
	[[ $output == *"limit disk"*"not enforced"* ]]
}

@test "what is too small, and what the host does not have, is refused with a sentence" {
	disk_template d
	refused 5 "the least is 16 MiB" up d --disk 1M
	need_loop
	need image 100M
	refused 5 " bytes)" up d --disk 900T
	[[ $output == *"/var/lib/stint"* ]]
	no_instances
}
