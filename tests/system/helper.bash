# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every system test shares: a STINT_ROOT of its own, the program, the payload, and the check
# that nothing is left. Loaded by each .bats file; STINT_BUILD is the build tree.

bats_require_minimum_version 1.5.0

STINT=$STINT_BUILD/bin/stint
PROBE=$STINT_BUILD/libexec/stint-tests/probe
CONTROLLERS=/sys/fs/cgroup

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

setup()
{
	STINT_ROOT=$(mktemp -d /tmp/stint-test.XXXXXX)
	export STINT_ROOT
	GROUP=$(group_of_root "$STINT_ROOT")
	mkdir -p "$STINT_ROOT/etc/stint/templates"
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
	DEVICES_BEFORE=$(ls /sys/class/net)
	unset SUDO_UID SUDO_USER SUDO_GID
}

teardown()
{
	"$STINT" down --all --now >/dev/null 2>&1 || true
	"$STINT" sweep >/dev/null 2>&1 || true
	assert_nothing_left
	rm -rf "$STINT_ROOT"
}

stint()
{
	"$STINT" "$@"
}

# Prints one line for each thing of this root that exists on the host.
leftovers()
{
	local f

	for f in /proc/[0-9]*/cgroup; do
		grep -qs "/$GROUP\(/\|$\)" "$f" && echo "process ${f//[^0-9]/}: $(tr '\0' ' ' <"${f%/cgroup}/cmdline" 2>/dev/null)"
	done
	find "$CONTROLLERS" -maxdepth 2 -type d -name "$GROUP" 2>/dev/null
	diff <(echo "$MOUNTS_BEFORE") <(sort /proc/self/mountinfo) | grep '^[<>]'
	diff <(echo "$DEVICES_BEFORE") <(ls /sys/class/net) | grep '^[<>]'
	find "$STINT_ROOT"/var/lib/stint/i "$STINT_ROOT"/run/stint/i "$STINT_ROOT"/run/stint/lock -mindepth 1 -maxdepth 1 2>/dev/null
	return 0
}

assert_nothing_left()
{
	local left i

	# the kernel ends namespaces a moment after their last process: wait for it, bounded
	for ((i = 0; i < 50; i++)); do
		left=$(leftovers)
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	echo "left behind:"
	echo "$left"
	return 1
}

# eventually SECONDS COMMAND...: until it succeeds, at most that long.
eventually()
{
	local until=$(($(date +%s%N) + $1 * 1000000000))
	shift

	until "$@"; do
		[ "$(date +%s%N)" -lt "$until" ] || return 1
		sleep 0.02
	done
}

port_of()
{
	stint show "$1" --json | jq -r ".ports[] | select(.name == \"${2:-http}\") | .port"
}

state_of()
{
	stint show "$1" --json | jq -r .state
}

id_of()
{
	stint show "$1" --json | jq -r .id
}

get()
{
	curl -sS --max-time 10 "$@"
}

# A template whose server is the payload: payload NAME COMMAND-LIST [MORE-YAML]
payload()
{
	cat >"$STINT_ROOT/etc/stint/templates/$1.yaml" <<EOF
template: $1
install: $PROBE
run:
  command: $2
  grace: 2s
lease: {ttl: 5m}
${3-}
EOF
}
