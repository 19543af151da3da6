# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Debian 12 in a virtual machine without hardware support: what scripts/vm-test needs for it.
# Everything comes from the host's package sources through an apt with a state of its own; no
# program of the packages is run on the host but the dynamic loader and kmod's depmod. Sourced
# after lib.sh. The functions expect $cache, a directory that keeps what was made.

# The whole system, for both ways of booting it.
vm_system=(systemd-sysv dbus libpam-systemd login sudo base-files base-passwd usr-is-merged bash
	dash libc-bin coreutils findutils grep sed mawk util-linux util-linux-extra bsdutils mount
	procps sqlite3 iproute2 nftables kmod hostname diffutils attr acl strace curl gojq bats e2fsprogs quota zstd
	libyaml-0-2 libsqlite3-0 libjansson4 libseccomp2 libcap2 libcap2-bin libnftables1 libarchive13
	libnl-3-200 libnl-route-3-200 libcmocka0)
# What the disk needs, in the order in which they need one another.
vm_early=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk crc16
	mbcache crc32c_generic jbd2 ext4 quota_tree quota_v2)
# What stint asks the kernel for, found with modprobe.
vm_late=(overlay loop crc32c_generic veth nft_fib_inet nft_reject_inet nft_ct nft_masq nft_chain_nat tcp_diag)

# The host's package sources and an apt that knows of nothing installed.
vm_apt()
{
	local program=$1

	shift
	"$program" -qq -o Dir::State="$cache/new/state" -o Dir::State::status="$cache/new/status" \
		-o Dir::Cache="$cache/new/cache" -o Debug::NoLocking=1 \
		-o APT::Sandbox::User=root "$@"
}

# Unpacks the system's packages and all they need.
vm_fetch_system()
{
	local to=$cache/new/system archive name

	vm_apt apt-get install --download-only -y --no-install-recommends \
		-o Dir::Cache::archives="$to.archives" "${vm_system[@]}" </dev/null \
		>"$cache/new/log" 2>&1 || return
	for name in bin sbin lib lib64; do
		mkdir -p "$to/usr/$name"
		ln -s "usr/$name" "$to/$name"
	done
	for archive in "$to".archives/*.deb; do
		dpkg-deb --fsys-tarfile "$archive" |
			tar -x --keep-directory-symlink -C "$to" || return
	done
	rm -rf "$to.archives"
}

vm_fetch_kernel()
{
	local package

	package=$(vm_apt apt-cache depends linux-image-amd64 |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || return
	(cd "$cache/new" && vm_apt apt-get download "$package" >log 2>&1) || return
	dpkg-deb -x "$cache/new/$package"_*.deb "$cache/new/kernel"
	rm "$cache/new/$package"_*.deb
	release=${package#linux-image-}
}

vm_module()
{
	find "$cache/new/kernel/lib/modules/$release" -name "$1.ko" | grep . ||
		die "the kernel's package has no module '$1'"
}

# What loads the modules that the disks need, and goes on from there. The kernel hands words of its
# command line that it does not know to this as its environment.
vm_make_initramfs()
{
	local top=$cache/new/initramfs name

	mkdir -p "$top"/{bin,disk,modules,dev}
	cp "$(command -v busybox)" "$top/bin/busybox"
	ln -s busybox "$top/bin/sh"
	{
		echo '#!/bin/sh'
		echo 'set -e; b() { /bin/busybox "$@"; }'
		echo 'b mount -t devtmpfs dev /dev'
		for name in "${vm_early[@]}"; do
			cp "$(vm_module "$name")" "$top/modules"
			echo "b insmod /modules/$name.ko"
		done
		echo 'for d in a b c; do until [ -b /dev/vd$d ]; do b sleep 0.1; done; done'
		echo 'b mount -t ext4 -o prjquota /dev/vda /disk'
		echo 'b mount -t ext4 -o ro /dev/vdb /disk/opt/stint; b umount /dev'
		# shellcheck disable=SC2016 # the machine's to expand
		echo 'exec /bin/busybox switch_root /disk "$vm_init"'
	} >"$top/init"
	chmod 0755 "$top/init"
	(cd "$top" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$cache/new/initrd"
}

# A program of the new system, by its loader: vm_kmod NAME ARGUMENT...
vm_kmod()
{
	local top=$cache/new/system name=$1

	shift
	"$top/lib64/ld-linux-x86-64.so.2" --library-path "$top/usr/lib/x86_64-linux-gnu" \
		--argv0 "$name" "$top/bin/kmod" "$@"
}

# These modules, with all that they need, where modprobe finds them.
vm_copy_modules()
{
	local top=$cache/new/system kernel=$cache/new/kernel name file
	local lib=$top/lib/modules/$release

	vm_kmod depmod -b "$kernel" "$release"
	mkdir -p "$lib"
	cp "$kernel/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$lib"
	for name in "${vm_early[@]}" "${vm_late[@]}"; do
		vm_kmod modprobe -d "$kernel" -S "$release" --show-depends "$name" |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | sort -u | while read -r file; do
		cp "$file" "$lib"
	done
	vm_kmod depmod -b "$top" "$release"
}

# By hand the little that the packages' own scripts would have done.
vm_configure_system()
{
	local top=$cache/new/system name

	mkdir -p "$top"/usr/local "$top"/{home,media,mnt,opt/stint,root,srv}
	cp "$top/usr/share/base-passwd/passwd.master" "$top/etc/passwd"
	cp "$top/usr/share/base-passwd/group.master" "$top/etc/group"
	ln -s mawk "$top/usr/bin/awk"
	# jq compiles its own library at each start, for a second here
	ln -s gojq "$top/usr/bin/jq"
	for name in auth account password session; do
		echo "$name required pam_permit.so" >"$top/etc/pam.d/common-$name"
	done
	cp "$top/etc/pam.d/common-session" "$top/etc/pam.d/common-session-noninteractive"
	echo '-session optional pam_systemd.so' >>"$top/etc/pam.d/common-session"
	echo 'tester:x:1000:1000::/home:/bin/bash' >>"$top/etc/passwd"
	echo 'tester:x:1000:' >>"$top/etc/group"
	sed 's/:.*/:*:19000:0:99999:7:::/' "$top/etc/passwd" >"$top/etc/shadow"
	echo 'tester ALL=(root) NOPASSWD: ALL' >"$top/etc/sudoers.d/tester"
	mkdir -p "$top/etc/systemd/logind.conf.d"
	printf '[Login]\nKillUserProcesses=yes\n' >"$top/etc/systemd/logind.conf.d/strict.conf"
	echo '127.0.0.1 localhost vm' >"$top/etc/hosts"
	echo vm >"$top/etc/hostname"
	echo 5717000000000000000000000000cafe >"$top/etc/machine-id"
	printf '%s\n' "${vm_late[@]}" >"$top/etc/modules-load.d/stint.conf"
	for name in stint.service stint.slice stint-sweep.service stint-sweep.timer; do
		ln -s "/opt/stint/lib/systemd/system/$name" "$top/etc/systemd/system/$name"
	done
	cat >"$top/etc/systemd/system/tests.service" <<-EOT
		[Service]
		Type=oneshot
		ExecStart=/opt/stint/tests/vm/systemd
		ExecStopPost=/usr/bin/systemctl --no-block poweroff
		StandardOutput=file:/dev/ttyS1
		StandardError=inherit
		TimeoutStartSec=infinity
	EOT
}

# A file system with project quotas, which the kernel enforces from the first mount on, and one
# without.
vm_make_disks()
{
	rm -rf "$cache/new/kernel/lib"
	mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota -d "$cache/new/system" \
		"$cache/new/disk" 2G >/dev/null
	mke2fs -q -t ext4 "$cache/new/plain" 1G >/dev/null
	rm -rf "$cache/new/system" "$cache/new/initramfs" "$cache/new/state" "$cache/new/cache"
}

# vm_make_tests_disk TREE TO: what shall be at /opt/stint there, belonging to root.
vm_make_tests_disk()
{
	mke2fs -q -t ext4 -E root_owner=0:0 -d "$1" "$2" 300M >/dev/null
}

# Makes kernel, initrd and disk in $cache unless these scripts have made them there before. A
# status of 1: what is needed could not be had.
vm_prepare()
{
	local key

	key=$(sed "/^vm_boot/,\$d" "${BASH_SOURCE[0]}" | sha256sum)
	if [ "$(cat "$cache/key" 2>/dev/null)" != "$key" ]; then
		rm -rf "$cache"/{new,key}
		say "downloading and unpacking a Debian 12 and its kernel"
		mkdir -p "$cache"/new/{state/lists,cache,system.archives}/partial
		: >"$cache/new/status"
		vm_apt apt-get update >"$cache/new/log" 2>&1 &&
			vm_fetch_system && vm_fetch_kernel ||
			return 1
		say "making the machine's disk"
		vm_make_initramfs
		vm_copy_modules
		vm_configure_system
		vm_make_disks
		mv "$cache/new/kernel/boot/vmlinuz-$release" "$cache/kernel"
		mv "$cache"/new/{initrd,disk,plain} "$cache"
		rm -rf "$cache/new"
		echo "$key" >"$cache/key"
	fi
}

# vm_boot WORK SECONDS PARAMETERS [OPTION...]: boots a copy of the system's disk with WORK/tests
# beside it, for at most so long, with more options for the emulator. The kernel's console goes to WORK/console, the second serial line is what this
# prints. What the machine changes on its disk is thrown away. A program is at the same addresses
# every time (norandmaps): the emulator keeps what it has translated by address, and is three times
# faster then. The processor's own clock, whose rate is measured at boot, is not trusted: the host
# may be busy at that moment, and the timer may be late for the kernel's look at it, too.
vm_boot()
{
	local work=$1 bound=$2 parameters="norandmaps clocksource=hpet tsc=unstable $3"

	shift 3
	TMPDIR=$work timeout --foreground "$bound" qemu-system-x86_64 \
		-accel tcg -smp 1 -m 2048 -nodefaults -display none "$@" \
		-pidfile "$work/pid" -serial "file:$work/console" -serial stdio \
		-drive "file=$cache/disk,if=virtio,format=raw,snapshot=on,cache=unsafe" \
		-drive "file=$work/tests,if=virtio,format=raw,cache=unsafe" \
		-drive "file=$cache/plain,if=virtio,format=raw,snapshot=on,cache=unsafe" \
		-kernel "$cache/kernel" -initrd "$cache/initrd" \
		-append "console=ttyS0 panic=-1 mitigations=off no_timer_check $parameters" \
		</dev/null | sed -u 's/\r$//'
}
