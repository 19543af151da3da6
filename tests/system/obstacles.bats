#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What of a host is in the way of zones with traffic, and is told by "up" and "doctor"; and what is
# not. The host is a network namespace of the test's own (network.bash).
load helper
load network

setup()
{
	set_up
	setup_network
}

teardown()
{
	teardown_network
	clean_up
}

# As Docker leaves it, in what iptables-nft makes.
forward_policy()
{
	on_host nft -f - <<-EOF
		table ip filter {
			chain FORWARD {
				type filter hook forward priority filter; policy $1;
			}
		}
	EOF
}

# What a host's firewall has that lets nobody in, with strict checks of where packets come from.
hostile_host()
{
	on_host nft -f - <<-'EOF'
		table inet host {
			chain input {
				type filter hook input priority filter; policy drop;
				iifname "lo" accept
				ct state established,related accept
			}
		}
	EOF
	on_host sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	forward_policy drop
}

# What stint has said that is not about the stages of a start.
words()
{
	grep '^stint: ' "$BATS_TEST_TMPDIR/words" || true
}

diagnosis()
{
	stint doctor --json |
		jq -r '.checks[] | select(.check == "network") | .verdict + " " + .text'
}

url_of()
{
	stint show "$1" --json | jq -r '.ports[0].url'
}

@test "published ports work on a host whose firewall drops everything" {
	hostile_host
	stint up hello --name a 2>"$BATS_TEST_TMPDIR/words"
	[ -z "$(words)" ]
	on_host curl -sf --max-time 5 "$(url_of a)" >/dev/null
	stint zone add out --egress internet
	stint up hello --name b --zone out 2>/dev/null
	on_host curl -sf --max-time 5 "$(url_of b)" >/dev/null
}

@test "up and doctor name the chain that is in the way, and what opens it" {
	hostile_host
	stint zone add out --egress internet
	stint up hello --name a --zone out 2>"$BATS_TEST_TMPDIR/words"
	grep -q "zone 'out': a test packet to $PUBLIC4 was dropped by another program's firewall:\
 table ip filter, chain FORWARD, by its policy; fix: iptables -I FORWARD -i st+ -j ACCEPT" \
		"$BATS_TEST_TMPDIR/words"
	[ "$(words | wc -l)" = 1 ]
	[[ "$(diagnosis)" == "note "*"zone 'out': "*"table ip filter, chain FORWARD"* ]]
	[ "$(reach a tcp "$PUBLIC4" "$OUTSIDE_PORT")" = silent ]
	# the two rules of the fix, in the words of nft
	on_host nft 'insert rule ip filter FORWARD iifname "st*" accept;
		insert rule ip filter FORWARD oifname "st*" accept'
	[ "$(reach a tcp "$PUBLIC4" "$OUTSIDE_PORT")" = reached ]
	[[ "$(diagnosis)" == "ok "*"nothing is in the way of zone 'out'" ]]
}

# The first address of the network is the host's own, where no packet of an instance may go.
@test "what is open is tried where it is not this host itself, or is not called tested" {
	hostile_host
	stint zone add near --egress 192.0.2.0/24
	stint up hello --name a --zone near 2>"$BATS_TEST_TMPDIR/words"
	grep -q "zone 'near': a test packet to 192.0.2.2 was dropped by another program's firewall" \
		"$BATS_TEST_TMPDIR/words"
	forward_policy accept
	[[ "$(diagnosis)" == "ok "*"nothing is in the way of zone 'near'" ]]
	stint zone add self --egress 192.0.2.1
	stint up hello --name b --zone self 2>"$BATS_TEST_TMPDIR/words"
	[ -z "$(words)" ]
	[[ "$(diagnosis)" == *"note zone 'self' is not tested: 192.0.2.1 is an address of this host, and closed to"* ]]
	[[ "$(diagnosis)" != *"nothing is in the way of zone 'self'"* ]]
	stint zone add both --egress 192.0.2.1,"$PRIVATE4"
	stint up hello --name c --zone both 2>/dev/null
	forward_policy drop
	[[ "$(diagnosis)" == *"zone 'both': a test packet to $PRIVATE4 was dropped by another"* ]]
}

@test "nothing is said of a zone without traffic, nor where nothing is in the way" {
	hostile_host
	stint up hello --name a 2>"$BATS_TEST_TMPDIR/words"
	[ -z "$(words)" ]
	[ -z "$(diagnosis)" ]
	forward_policy accept
	stint zone add team --peers allow --egress "$PRIVATE4:$OUTSIDE_PORT"
	stint up hello --name b --zone team 2>"$BATS_TEST_TMPDIR/words"
	stint up hello --name c --zone team 2>>"$BATS_TEST_TMPDIR/words"
	[ -z "$(words)" ]
}

@test "a switch that somebody has turned off, and a route that is not there, are named" {
	stint zone add out --egress "$PRIVATE4"
	stint up hello --name a --zone out
	on_host sysctl -qw net.ipv4.conf.up0.forwarding=0
	[[ "$(diagnosis)" == *"finds forwarding switched off on 'up0'"* ]]
	on_host sysctl -qw net.ipv4.conf.up0.forwarding=1
	on_host ip route del default
	[[ "$(diagnosis)" == *"zone 'out': a test packet to $PRIVATE4 has nowhere to go"* ]]
}
