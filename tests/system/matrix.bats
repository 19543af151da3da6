#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What reaches what: the table of docs/network.md, tried from inside over TCP, UDP and ICMP, IPv4 and
# IPv6, before and after another program has flushed all of nftables. The host is a network namespace
# of the test's own. Every attempt that is not let through is answered at once: nothing is silent.
load helper
load network

PEER_PORT=7001

setup()
{
	set_up
	setup_network
	stint zone add a --peers deny
	stint zone add b --peers allow --egress internet
	stint up hello --name a1 --zone a
	stint up hello --name a2 --zone a
	stint up hello --name b1 --zone b -p 0.0.0.0:7003:http
	serve "$(server_of a2)" "$PEER_PORT"
	serve "$(server_of b1)" "$PEER_PORT"
	serve "$HOST" "$PEER_PORT"
	FROM=$(server_of a1)
	nsenter -t "$FROM" -n sysctl -qw net.ipv4.ping_group_range="0 0"
	# target, address, port
	TARGETS=("peer4 $(address_of a2) $PEER_PORT" "peer6 $(address6_of a2) $PEER_PORT"
		"zone4 $(address_of b1) $PEER_PORT" "zone6 $(address6_of b1) $PEER_PORT"
		"host4 192.0.2.1 $PEER_PORT" "host6 fd00:99::1 $PEER_PORT"
		"published4 192.0.2.1 7003"
		"public4 $PUBLIC4 $OUTSIDE_PORT" "public6 $PUBLIC6 $OUTSIDE_PORT"
		"private4 $PRIVATE4 $OUTSIDE_PORT" "private6 $PRIVATE6 $OUTSIDE_PORT"
		"metadata4 $METADATA $OUTSIDE_PORT")
}

teardown()
{
	teardown_network
	clean_up
}

# Where links carry no IPv6 (stint says so when a zone is made) nothing is reached over it.
has_ipv6()
{
	[ -e /proc/sys/net/ipv6/conf/default/force_forwarding ]
}

# try WHEN TARGET:PROTOCOL...: exactly these are reached, "*" is every protocol.
try()
{
	local when=$1 entry target address port protocol expected answer failed=0

	shift
	for entry in "${TARGETS[@]}"; do
		read -r target address port <<<"$entry"
		for protocol in tcp udp icmp; do
			expected=denied
			case " $* " in
			*" $target:$protocol "* | *" $target:* "*) expected=reached ;;
			esac
			[[ $target != *6 ]] || has_ipv6 || expected=denied
			[ "$protocol" = icmp ] && port=
			# shellcheck disable=SC2086 # no port, no word
			answer=$(nsenter -t "$FROM" -n "$REACH" "$protocol" "$address" $port)
			[ "$answer" = "$expected" ] || {
				echo "$when: $target over $protocol: $answer, not $expected"
				failed=1
			}
		done
	done
	return "$failed"
}


# holds RULES TARGET...: before a flush and after it; the zone b keeps the table in use.
holds()
{
	local rules=$1 table

	shift
	# shellcheck disable=SC2086 # the rules are words
	stint zone set a $rules
	try "$rules" "$@"
	table=$(on_host nft list tables | sed -n 's/^table inet \(stint.*\)/\1/p')
	on_host nft flush ruleset
	eventually 2 table_is_back "$table"
	try "$rules, after a flush" "$@"
}

table_is_back()
{
	on_host nft list table inet "$1" >/dev/null 2>&1
}

@test "without peers and egress nothing is reached" {
	holds "--peers deny --egress none"
}

@test "peers: allow opens the instances of the zone, and nothing else" {
	holds "--peers allow --egress none" 'peer4:*' 'peer6:*'
}

@test "egress: internet opens public addresses, and nothing else" {
	holds "--peers deny --egress internet" 'public4:*' 'public6:*'
}

@test "an egress with a port opens that port, over that protocol" {
	holds "--peers deny --egress $PRIVATE4:$OUTSIDE_PORT,[$PRIVATE6]:$OUTSIDE_PORT/udp" \
		private4:tcp private6:udp
}

@test "an egress without a port opens the network" {
	holds "--peers deny --egress 172.16.0.0/12,fd00:5::/32" 'private4:*' 'private6:*'
}

@test "an egress to everywhere opens no instance and not the host" {
	holds "--peers deny --egress 0.0.0.0/0,::/0" 'public4:*' 'public6:*' 'private4:*' \
		'private6:*' 'metadata4:*'
}

@test "peers and egress together are both, and no more" {
	holds "--peers allow --egress $METADATA" 'peer4:*' 'peer6:*' 'metadata4:*'
}

@test "a source that is not the instance's own gets nowhere, whoever's it is" {
	stint zone set a --peers allow --egress 0.0.0.0/0,::/0
	nsenter -t "$FROM" -n ip addr add "$(address_of b1)/32" dev lo
	nsenter -t "$FROM" -n ip addr add 203.0.113.9/32 dev lo
	for source in "$(address_of b1)" 203.0.113.9; do
		for protocol in tcp udp; do
			[ "$(nsenter -t "$FROM" -n "$REACH" "$protocol" "$PUBLIC4" \
				"$OUTSIDE_PORT" "$source")" = silent ]
			[ "$(nsenter -t "$FROM" -n "$REACH" "$protocol" "$(address_of a2)" \
				"$PEER_PORT" "$source")" = silent ]
		done
	done
	[ "$(nsenter -t "$FROM" -n "$REACH" tcp "$PUBLIC4" "$OUTSIDE_PORT")" = reached ]
	# the address was not taken from the one that has it
	[ "$(nsenter -t "$(server_of b1)" -n "$REACH" tcp "$PUBLIC4" "$OUTSIDE_PORT")" = reached ]
}

@test "other programs' tables stay as they are" {
	on_host nft -f - <<-'EOF'
		table inet other {
			chain input {
				type filter hook input priority filter; policy accept;
				tcp dport 9999 drop
			}
		}
	EOF
	before=$(on_host nft list table inet other)
	stint zone set a --egress internet
	stint zone set a --egress none
	stint down b1 --now
	stint zone rm b
	[ "$(on_host nft list table inet other)" = "$before" ]
	[ "$(on_host nft list tables)" = "table inet other" ]
}
