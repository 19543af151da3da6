# SPDX-License-Identifier: Apache-2.0
# For the tests of zones: a host and an outside, each a network namespace of the test's own, so that
# nothing of the machine's network is used or changed. The outside has public, private and metadata
# addresses and answers TCP, UDP and echo requests. Load it after helper.

REACH=$STINT_BUILD/libexec/stint-tests/reach
PUBLIC4=198.41.0.4
PUBLIC6=2001:503:ba3e::2:30
PRIVATE4=172.16.5.5
PRIVATE6=fd00:5::5
METADATA=169.254.169.254
OUTSIDE_PORT=7000

# A namespace that lives as long as the process whose id is printed.
make_netns()
{
	unshare -n sleep 1000 3>&- >/dev/null &
	eventually 5 is_elsewhere $! && echo $!
}

is_elsewhere()
{
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

at()
{
	local where=$1

	shift
	nsenter -t "$where" -n "$@"
}

on_host()
{
	at "$HOST" "$@"
}

setup_network()
{
	HOST=$(make_netns)
	OUTSIDE=$(make_netns)
	# no attempt shall go without its answer because there were many
	on_host sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	on_host sh -c "ip link set lo up
		ip link add up0 type veth peer name down0 netns $OUTSIDE
		ip addr add 192.0.2.1/24 dev up0
		ip -6 addr add fd00:99::1/64 dev up0 nodad
		ip link set up0 up"
	at "$OUTSIDE" sh -c "ip link set lo up
		ip addr add 192.0.2.2/24 dev down0
		ip -6 addr add fd00:99::2/64 dev down0 nodad
		ip link set down0 up
		for a in $PUBLIC4 $PRIVATE4 $METADATA; do ip addr add \$a/32 dev lo; done
		for a in $PUBLIC6 $PRIVATE6; do ip -6 addr add \$a/128 dev lo nodad; done"
	on_host sh -c "ip route add default via 192.0.2.2
		ip -6 route add default via fd00:99::2"
	serve "$OUTSIDE" "$OUTSIDE_PORT"
}

# serve WHERE PORT: until the end of the test.
serve()
{
	nsenter -t "$1" -n "$REACH" serve "$2" 3>&- >"$BATS_TEST_TMPDIR/serve.$1" 2>&1 &
	echo $! >>"$BATS_TEST_TMPDIR/servers"
	eventually 5 grep -q serving "$BATS_TEST_TMPDIR/serve.$1"
}

teardown_network()
{
	local pid zone

	stint down --all --now >/dev/null 2>&1 || true
	for zone in $(stint zone ls --json | jq -r '.[].zone'); do
		stint zone rm "$zone" >/dev/null 2>&1 || true
	done
	for pid in $(cat "$BATS_TEST_TMPDIR/servers" 2>/dev/null) "${HOST-}" "${OUTSIDE-}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# Every command of these tests sees the test's host as its own.
stint()
{
	nsenter -t "$HOST" -n timeout --foreground -s KILL 100 "$STINT" "$@"
}

# The first process of the instance's server, on the machine.
server_of()
{
	local group

	group=$GROUP/$(stint show "$1" --json | jq -r .id)/server
	head -n 1 "$CONTROLLERS/pids/$group/cgroup.procs" 2>/dev/null ||
		head -n 1 "$CONTROLLERS/$group/cgroup.procs"
}

# reach FROM PROTOCOL ADDRESS [PORT]: from inside an instance, with the rights that it takes.
reach()
{
	local from

	from=$(server_of "$1")
	shift
	[ "$1" != icmp ] ||
		nsenter -t "$from" -n sysctl -qw net.ipv4.ping_group_range="0 0"
	nsenter -t "$from" -n "$REACH" "$@"
}

address_of()
{
	stint show "$1" --json | jq -r .address
}

address6_of()
{
	stint show "$1" --json | jq -r .address6
}
