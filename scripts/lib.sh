# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts share: where the project is, how they speak, how they come to run as root, and
# which Debian packages are there. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say()
{
	printf '==> %s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Returns when this runs as root; otherwise starts the same script again through sudo.
become_root()
{
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null ||
		die "this needs root, and there is no sudo here: run it as root"
	sudo -n true 2>/dev/null || sudo -v ||
		die "this needs root, and sudo does not let $(id -un) have it: run it as root"
	exec sudo -- env ${STINT_ROOT:+"STINT_ROOT=$STINT_ROOT"} bash "$root/scripts/${0##*/}" "$@"
}

# Runs a command as the owner of the working tree, so that root leaves nothing in somebody's
# clone that its owner cannot remove. Falls back to root where the owner cannot write there.
as_owner()
{
	local uid gid

	uid=$(stat -c %u "$root") gid=$(stat -c %g "$root")
	if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ] &&
		setpriv --reuid "$uid" --regid "$gid" --clear-groups test -w "$root"; then
		setpriv --reuid "$uid" --regid "$gid" --clear-groups "$@"
	else
		"$@"
	fi
}

has_package()
{
	local status

	status=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) || return 1
	[ "$status" = installed ]
}

# FNV-1a, as the program marks its control groups for a STINT_ROOT.
group_of_root()
{
	local hash=2166136261 i code

	for ((i = 0; i < ${#1}; i++)); do
		printf -v code %d "'${1:i:1}"
		hash=$((((hash ^ code) * 16777619) & 0xffffffff))
	done
	printf 'stint-%08x\n' "$hash"
}
