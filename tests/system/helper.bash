# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every system test shares: a STINT_ROOT of its own, the program, the payload, and the check
# that nothing is left. Loaded by each .bats file; STINT_BUILD is the build tree, build/dev
# when it is not set.

bats_require_minimum_version 1.5.0

STINT_BUILD=${STINT_BUILD:-$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)/build/dev}
STINT=$STINT_BUILD/bin/stint
PROBE=$STINT_BUILD/libexec/stint-tests/probe
# How many times longer than elsewhere a thing may take: where every processor is emulated.
SLOW=${STINT_TEST_SLOW:-1}
CONTROLLERS=/sys/fs/cgroup

# FNV-1a, as the program marks its control groups for a STINT_ROOT. In a subshell, where bats does
# not look at every command.
group_of_root()
(
	trap - DEBUG
	hash=2166136261
	for ((i = 0; i < ${#1}; i++)); do
		printf -v code %d "'${1:i:1}"
		hash=$((((hash ^ code) * 16777619) & 0xffffffff))
	done
	printf 'stint-%08x\n' "$hash"
)

setup()
{
	set_up
}

# For a file that has more to do in its setup.
set_up()
{
	STINT_ROOT=$(mktemp -d /tmp/stint-test.XXXXXX)
	export STINT_ROOT
	GROUP=$(group_of_root "$STINT_ROOT")
	mkdir -p "$STINT_ROOT/etc/stint/templates"
	MOUNTS_BEFORE=$(sort /proc/self/mountinfo)
	DEVICES_BEFORE=$(devices)
	unset SUDO_UID SUDO_USER SUDO_GID
	[ -z "${STINT_TEST_THREADS-}" ] || start_threads "$STINT_TEST_THREADS"
	# What the sanitizers say of any process goes to files, outside the root: the forwarder is nobody.
	if [ -n "${STINT_SANITIZED-}" ]; then
		REPORTS=$(mktemp -d /tmp/stint-reports.XXXXXX)
		chmod 1777 "$REPORTS"
		export ASAN_OPTIONS=detect_leaks=1:log_path=$REPORTS/asan
		export UBSAN_OPTIONS=print_stacktrace=1:log_path=$REPORTS/ubsan
	fi
}

# As on a host with so many threads more: start_threads NUMBER
start_threads()
{
	"$STINT_BUILD/libexec/stint-tests/threads" "$1" >"$STINT_ROOT/threads" 3>&- &
	THREADS=$!
	eventually 10 grep -q started "$STINT_ROOT/threads"
}

teardown()
{
	clean_up
}

# For a file that has more to do in its teardown.
clean_up()
{
	local failed=0

	"$STINT" down --all --now >/dev/null 2>&1 || true
	"$STINT" sweep >/dev/null 2>&1 || true
	[ ! -e "$STINT_ROOT/run/stint/firewall" ] || remove_zones
	assert_nothing_left || failed=1
	assert_no_reports || failed=1
	[ -z "${THREADS-}" ] || kill -KILL "$THREADS" 2>/dev/null || true
	# the next test must not suffer from this one
	[ "$failed" -eq 0 ] || remove_by_force
	rm -rf "$STINT_ROOT"
	return "$failed"
}

# With the last zone that has traffic goes the firewall's table.
remove_zones()
{
	local zone

	for zone in $("$STINT" zone ls --json | jq -r '.[].zone'); do
		"$STINT" zone rm "$zone" >/dev/null 2>&1 || true
	done
}

# A sanitizer's report of a process whose standard error nobody reads.
assert_no_reports()
{
	[ -n "${REPORTS-}" ] || return 0
	if [ -n "$(ls -A "$REPORTS")" ]; then
		echo "sanitizer reports:"
		cat "$REPORTS"/*
		rm -rf "$REPORTS"
		return 1
	fi
	rm -rf "$REPORTS"
}

remove_by_force()
{
	local group groups pids

	mapfile -t pids < <(processes_left)
	[ "${#pids[@]}" -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
	mapfile -t groups < <(find "$CONTROLLERS" -depth -path "*/$GROUP*" -type d)
	for group in "${groups[@]}"; do
		eventually 2 rmdir "$group" 2>/dev/null || true
	done
}

# The program, with a bound: what hangs must not keep teardown from cleaning up.
stint()
{
	timeout --foreground -s KILL $((100 * SLOW)) "$STINT" "$@"
}

# What ended and waits for the host's first process to notice is not a process any more.
is_ended()
{
	local stat

	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	stat=${stat##*) }
	case $stat in
	[ZX]*) return 0 ;;
	esac
	return 1
}

# The processes of this root: those in its control groups, and commands that still run for it.
processes_left()
{
	local file pid

	grep -ls "/$GROUP\(/\|$\)" /proc/[0-9]*/cgroup 2>/dev/null | while read -r file; do
		pid=${file//[^0-9]/}
		is_ended "$pid" || echo "$pid"
	done
	for pid in $(pgrep -x stint); do
		if grep -qszx "STINT_ROOT=$STINT_ROOT" "/proc/$pid/environ"; then
			is_ended "$pid" || echo "$pid"
		fi
	done
}

# The host's network devices but the links of other roots' instances, which come and go meanwhile.
devices()
{
	local device ours

	ours=$(((0x${GROUP#stint-} % 4095 + 1) << 12 | 0x73000000))
	for device in /sys/class/net/*; do
		case ${device##*/} in
		st????????)
			[ "$(($(cat "$device/netdev_group" 2>/dev/null || echo 0) & ~0xfff))" = \
				"$ours" ] || continue
			;;
		esac
		echo "${device##*/}"
	done
}

# Prints one line for each thing of this root that exists on the host.
leftovers()
{
	local pid

	for pid in $(processes_left); do
		echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
	done
	find "$CONTROLLERS" -maxdepth 3 -type d -name "$GROUP" 2>/dev/null
	# other tests run beside this one, and some of them mount things in places of their own
	diff <(echo "$MOUNTS_BEFORE") <(sort /proc/self/mountinfo) |
		awk -v own="$STINT_ROOT" '/^>/ && (!index($0, " /tmp/stint-") || index($0, own))' || true
	diff <(echo "$DEVICES_BEFORE") <(devices) | grep '^>' || true
	find "$STINT_ROOT"/var/lib/stint/i "$STINT_ROOT"/run/stint/i "$STINT_ROOT"/run/stint/lock \
		-mindepth 1 -maxdepth 1 2>/dev/null
	return 0
}

assert_nothing_left()
{
	local left i

	# the kernel ends namespaces a moment after their last process: wait for it, bounded
	for ((i = 0; i < 50 * SLOW; i++)); do
		left=$(leftovers)
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	echo "left behind:"
	echo "$left"
	return 1
}

# eventually SECONDS COMMAND...: until it succeeds, at most that long (on a host that is not slow).
eventually()
{
	local until=$(($(date +%s%N) + $1 * SLOW * 1000000000))
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

# refused STATUS TEXT COMMAND...: stint ends with that status and a sentence that has TEXT.
# shellcheck disable=SC2154 # status and output come from run
refused()
{
	local wanted=$1 text=$2

	shift 2
	run stint "$@"
	echo "stint $*: status $status: $output"
	[ "$status" -eq "$wanted" ]
	[[ $output == *"$text"* ]]
	[[ $output == *"stint: "* ]]
}

# A template of its own: template NAME <<<TEXT
template()
{
	cat >"$STINT_ROOT/etc/stint/templates/$1.yaml"
}

# The host's ids of an instance's processes by their name: processes_of COMMAND-NAME INSTANCE
processes_of()
{
	local pid id

	id=$(id_of "$2")
	for pid in $(pgrep -x "$1"); do
		grep -qs "/$id/" "/proc/$pid/cgroup" && echo "$pid"
	done
	return 0
}

no_instances()
{
	[ "$(stint ls)" = "no instances" ]
}

# Neither an instance nor anything of one: with a wait, for what dies with its parent.
nothing_left()
{
	no_instances && [ -z "$(leftovers)" ]
}

is_state()
{
	[ "$(state_of "$1")" = "$2" ]
}

# parent_and_comm PID: to tell the keeper's processes apart by their names.
kill_process()
{
	local pid pids

	pids=$(processes_of "$1" "$2")
	[ -n "$pids" ]
	# shellcheck disable=SC2086 # one or more
	kill -KILL $pids
	# on a busy host that takes its time
	for pid in $pids; do
		eventually 5 is_ended "$pid"
	done
}

reason_of()
{
	stint history "$1" --json | jq -r '.[0].reason'
}
