# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Other programs that run something apart, for scripts/bench, which sources this. Those that know
# images get a root with /bin/true and its libraries; what they leave lies in a mount namespace of
# their own, in which /run is empty and control groups are as they know them: hierarchies of version
# 1 without version 2 beside them, where that is so here.

peers=()
# shellcheck disable=SC2034 # bench reads them
declare -A peer_words peer_floor

peers_root()
{
	local bundle=$base/bundle library

	mkdir -p "$bundle"/rootfs/{bin,usr,var,root,proc,sys,dev,tmp,etc,run}
	cp /bin/true "$bundle/rootfs/bin/"
	for library in $(ldd /bin/true | grep -o '/[^ ]*'); do
		mkdir -p "$bundle/rootfs/${library%/*}"
		cp -L "$library" "$bundle/rootfs/$library"
	done
	if command -v crun >/dev/null; then
		(cd "$bundle" && crun spec)
		jq '.process.terminal = false | .process.args = ["/bin/true"] | del(.process.rlimits)' \
			"$bundle/config.json" >"$bundle/new"
		mv "$bundle/new" "$bundle/config.json"
	fi
}

# Runs inside the namespace. Nothing is unmounted, and no directory removed: that could reach out.
peers_mounts()
{
	cat <<-'END'
		set -eu
		mount --make-rprivate /
		mount -t tmpfs -o mode=755 tmpfs /run
		[ ! -e /sys/fs/cgroup/cgroup.controllers ] || exit 0
		mkdir /run/groups
		mount -t tmpfs -o mode=755 tmpfs /run/groups
		for h in /sys/fs/cgroup/*; do
			if [ -L "$h" ]; then
				cp -P "$h" /run/groups/
			elif grep -q " $h cgroup " /proc/self/mounts; then
				mkdir "/run/groups/${h##*/}"
				mount --bind "$h" "/run/groups/${h##*/}"
			fi
		done
		mount --rbind /run/groups /sys/fs/cgroup
	END
}

# peer NAME WITH-LINK WORDS COMMAND...: is listed when it runs, and otherwise with its own words.
peer()
{
	local name=$1 link=$2 words=$3 log=$base/peer.log

	shift 3
	if ! command -v "$1" >/dev/null; then
		note "$words: not installed."
	elif ! nsenter --mount="$peer_mounts" timeout 60 "$@" >"$log" 2>&1 </dev/null; then
		note "$words: cannot run here: $(grep -v '^$' "$log" | tail -1 | cut -c1-200)"
	else
		peers+=("$name")
		# shellcheck disable=SC2034
		peer_words[$name]=$words peer_floor[$name]=floor$link
		mounts=$peer_mounts contender whole "$name" "$@" >>"$base/peers.list"
	fi
}

peers_prepare()
{
	local files=20000 podman

	peers_root
	hold_mounts
	peer_mounts=$ret_holder
	peers_mounts >"$base/peers.mounts"
	nsenter --mount="$peer_mounts" sh "$base/peers.mounts"
	# no more than this process may give itself
	[ "$(ulimit -Hn)" = unlimited ] || files=$(ulimit -Hn)
	podman="podman --root $base/podman --runroot $base/podman.run --storage-driver vfs
		--cgroup-manager cgroupfs --events-backend none run --rm
		--ulimit nofile=$files:$files --ulimit nproc=1000:1000"
	: >"$base/peers.list"
	peer unshare "" "unshare: namespaces alone" unshare -fpmnuiC --mount-proc /bin/true
	peer bwrap "" "bubblewrap, no network" bwrap --unshare-all --ro-bind /usr /usr \
		--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc \
		--dev /dev --tmpfs /tmp /bin/true
	peer crun "" "crun, no network" crun run -b "$base/bundle" stint-bench-crun
	peer runc "" "runc, no network" runc run -b "$base/bundle" stint-bench-runc
	peer firejail "" "firejail, no network" firejail --quiet --noprofile --net=none /bin/true
	peer nspawn .link "systemd-nspawn, veth" systemd-nspawn -q -D "$base/bundle/rootfs" \
		--register=no --keep-unit --network-veth /bin/true
	# shellcheck disable=SC2086 # words
	peer podman "" "podman, no network" $podman --network none --rootfs "$base/bundle/rootfs" \
		/bin/true
	# shellcheck disable=SC2086 # words
	peer podman.link .link "podman, bridge, memory limit, a port" $podman --network bridge \
		--memory 256m -p 127.0.0.1:18099:8080 --rootfs "$base/bundle/rootfs" /bin/true
}

peers_list()
{
	cat "$base/peers.list"
}

peers_versions()
{
	local package version line=

	for package in util-linux bubblewrap crun runc firejail systemd-container podman; do
		version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) || continue
		line+=", $package ${version%%[-+]*}"
	done
	echo "${line#, }"
}

# podman's parent group stays otherwise.
peers_remove()
{
	local parent

	for parent in /sys/fs/cgroup/*/libpod_parent /sys/fs/cgroup/libpod_parent; do
		[ ! -d "$parent" ] || find "$parent" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
	rm -rf "${base:?}/podman" "${base:?}/podman.run"
}
