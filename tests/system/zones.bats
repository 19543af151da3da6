#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# stint zone, and what instances of zones see of one another. The host is a network namespace of the
# test's own (network.bash); what reaches what is in matrix.bats.
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

links()
{
	on_host ip -br link | grep -c '^st[0-9a-f]\{8\}@' || true
}

no_links()
{
	[ "$(links)" = 0 ]
}

# The instance answers through its published port.
curl_in_host()
{
	on_host curl -sf --max-time 5 "$(stint show "$1" --json | jq -r '.ports[0].url')" >/dev/null
}

# Links, routes, neighbours and the firewall, but for numbers that only grow.
everything_of_the_network()
{
	on_host ip -br link | awk '{ print $1 }'
	on_host ip route
	on_host ip -6 route
	on_host ip neighbour | grep ' dev st' || true
	on_host nft -s list ruleset
	on_host cat /proc/sys/net/ipv4/conf/up0/forwarding
	find "$STINT_ROOT/run/stint" -mindepth 1 | sort
}

is_as_before()
{
	diff <(echo "$1") <(everything_of_the_network)
}

tables()
{
	on_host nft list tables | grep -c stint || true
}

@test "zones are added, listed, shown, changed and removed" {
	local changed

	[ "$(stint zone ls --json | jq -r '.[].zone')" = default ]
	stint zone add team --tier training --peers allow --egress 10.0.0.0/8:443,198.51.100.7
	[ "$(stint zone show team --json | jq -r '[.tier, .peers, .egress, .dns] | join(" ")')" = \
		"training allow 10.0.0.0/8:443,198.51.100.7 host" ]
	stint up hello --name a --zone team
	changed=$(stint zone set team --egress internet --dns 9.9.9.9 --json)
	[ "$changed" = "$(stint zone show team --json)" ]
	[ "$(stint zone show team --json | jq -c .instances)" = '["a"]' ]
	stint zone show team | grep -x 'dns       9.9.9.9'
	refused 2 "usage: stint zone set ZONE with one or more of --tier" zone set team
	stint down a
	[ "$(stint zone show team --json | jq -r '[.tier, .peers, .egress, .dns] | join(" ")')" = \
		"training allow internet 9.9.9.9" ]
	[[ "$(stint zone ls)" == *"team     training  0          allow  internet"* ]]
	stint zone rm team
	[ "$(stint zone ls --json | jq -r '.[].zone')" = default ]
}

@test "what is no zone is refused, with the reason" {
	refused 5 "neither the availability nor the separation" zone add production
	refused 5 "neither the availability nor the separation" zone add x --tier test
	refused 2 "cannot be a zone's name" zone add 'A b'
	refused 2 "'moon' is no tier; there are dev, sandbox, poc, training, ci" \
		zone add x --tier moon
	refused 2 "neither an address nor the name of a host" zone add x --egress 10.0.0
	refused 2 "neither allow nor deny" zone add x --peers maybe
	refused 2 "is no address" zone add x --dns dns.example
	refused 3 "no zone 'x'; there is default" zone show x
	refused 3 "no zone 'x'" zone set x --peers allow
	refused 3 "no zone 'x'" up hello --zone x
	refused 5 "it stays" zone rm default
	refused 2 "usage: stint zone" zone
	stint zone add x
	refused 4 "there is a zone 'x' already" zone add x
	[ "$(stint zone ls --json | jq length)" = 2 ]
}

@test "a zone without traffic costs the host nothing" {
	stint zone add quiet
	stint up hello --name a --zone quiet
	[ "$(links)" = 0 ]
	[ "$(tables)" = 0 ]
	[ "$(stint show a --json | jq -r .zone)" = quiet ]
	[[ "$(stint show a)" == *"zone        quiet, no link"* ]]
	run stint zone rm quiet
	[ "$status" = 5 ]
	[[ "$output" == *"has 1 instance, 'a' among them: end them first"* ]]
}

@test "instances of a zone find one another by name, and those that have gone no more" {
	stint zone add team --peers allow
	stint up hello --name alice --zone team
	stint up hello --name bob --zone team
	for name in bob bob.team.stint; do
		stint exec alice -- bash -c "exec 3<>/dev/tcp/$name/5555
			printf 'GET / HTTP/1.0\r\n\r\n' >&3; grep -q '200 OK' <&3"
	done
	stint exec alice -- bash -c 'exec 3<>/dev/tcp/$HOSTNAME/5555'
	stint exec bob -- grep -q 'alice.team.stint' /etc/hosts
	stint down bob --now
	run stint exec alice -- grep bob /etc/hosts
	[ "$status" = 1 ]
}

@test "names that do not belong in a zone's list are gone with the next who comes or goes" {
	local hosts=$STINT_ROOT/run/stint/zone/team/hosts i started=()

	stint zone add team --peers allow
	for i in 1 2 3 4 5 6; do
		stint up hello --zone team --name "n$i" --no-wait >"$STINT_ROOT/out.$i" 2>&1 3>&- &
		started+=($!)
	done
	wait "${started[@]}"
	[ "$(awk '{ print $2 }' "$hosts" | sort -u | tr '\n' ' ')" = "localhost n1 n2 n3 n4 n5 n6 " ]
	# as if the end of one had not got as far as the list, and then the start of one
	echo '10.213.0.99 stale stale.team.stint a1234567' >>"$hosts"
	stint down n1
	[ "$(awk '{ print $2 }' "$hosts" | sort -u | tr '\n' ' ')" = "localhost n2 n3 n4 n5 n6 " ]
	sed -i '/ n2 /d' "$hosts"
	stint up hello --zone team --name n7 --no-wait
	[ "$(awk '{ print $2 }' "$hosts" | sort -u | tr '\n' ' ')" = "localhost n2 n3 n4 n5 n6 n7 " ]
	[ "$(sort "$hosts" | uniq -d)" = "" ]
	rm "$hosts"
	stint down n2
	[ "$(awk '{ print $2 }' "$hosts" | sort -u | tr '\n' ' ')" = "localhost n3 n4 n5 n6 n7 " ]
}

@test "running instances follow their zone" {
	stint zone add team --peers allow
	stint up hello --name a --zone team
	stint up hello --name b --zone team
	serve "$(server_of b)" 7001
	[ "$(reach a tcp "$(address_of b)" 7001)" = reached ]
	stint zone set team --peers deny
	[ "$(links)" = 0 ]
	[ "$(tables)" = 0 ]
	[ "$(reach a tcp "$(address_of b)" 7001)" = denied ]
	stint zone set team --peers allow
	[ "$(links)" = 2 ]
	[[ "$(stint show a)" == *"zone        team, link st"* ]]
	[ "$(reach a tcp "$(address_of b)" 7001)" = reached ]
}

# How long it took, in seconds.
seconds_of()
{
	local since=$SECONDS

	"$@" >&2 || true
	echo $((SECONDS - since))
}

@test "a keeper that does not answer holds up neither the others of its zone nor what is taken away" {
	local keeper

	stint zone add team --peers allow
	for name in a b c; do stint up hello --name "$name" --zone team; done
	serve "$(server_of c)" 7001
	keeper=$(processes_of stint-keeper a)
	kill -STOP "$keeper"
	[ "$(seconds_of stint zone set team --peers deny)" -le 3 ]
	[ "$(links)" = 0 ]
	[ "$(tables)" = 0 ]
	[ "$(reach b tcp "$(address_of c)" 7001)" = denied ]
	stint zone set team --peers allow 3>&- 2>"$STINT_ROOT/err" &
	others_are_linked() { [ "$(links)" = 2 ]; }
	eventually 3 others_are_linked
	[ "$(reach b tcp "$(address_of c)" 7001)" = reached ]
	status=0
	wait $! || status=$?
	[ "$status" -ne 0 ]
	grep -q 'not all of its instances could follow' "$STINT_ROOT/err"
	kill -CONT "$keeper"
	stint zone set team --peers allow
	[ "$(links)" = 3 ]
}

@test "a change of the zone cuts connections that it does not allow any more" {
	stint zone add out --egress "$PRIVATE4:$OUTSIDE_PORT"
	stint up hello --name a --zone out
	nsenter -t "$(server_of a)" -n "$REACH" hold "$PRIVATE4" "$OUTSIDE_PORT" \
		3>&- >"$BATS_TEST_TMPDIR/held" &
	eventually 5 grep -q held "$BATS_TEST_TMPDIR/held"
	stint zone set out --egress "$PRIVATE4:1"
	eventually 10 grep -q cut "$BATS_TEST_TMPDIR/held"
	[ "$(reach a tcp "$PRIVATE4" "$OUTSIDE_PORT")" = denied ]
	stint zone set out --egress "$PRIVATE4:$OUTSIDE_PORT"
	[ "$(reach a tcp "$PRIVATE4" "$OUTSIDE_PORT")" = reached ]
	# the link goes too
	nsenter -t "$(server_of a)" -n "$REACH" hold "$PRIVATE4" "$OUTSIDE_PORT" \
		3>&- >"$BATS_TEST_TMPDIR/again" &
	eventually 5 grep -q held "$BATS_TEST_TMPDIR/again"
	stint zone set out --egress none
	eventually 10 grep -q cut "$BATS_TEST_TMPDIR/again"
	curl_in_host a
}

@test "an uplink forwards while a zone needs it, and is put back" {
	local file=/proc/sys/net/ipv4/conf/up0/forwarding

	[ "$(on_host cat "$file")" = 0 ]
	stint zone add out --egress "$PRIVATE4"
	stint up hello --name a --zone out
	[ "$(on_host cat "$file")" = 1 ]
	[ "$(on_host cat /proc/sys/net/ipv4/conf/all/forwarding)" = 0 ]
	stint down a --now
	stint zone rm out
	[ "$(on_host cat "$file")" = 0 ]
}

@test "a name in an egress that cannot be resolved is noted when the zone is added" {
	run --separate-stderr stint zone add out --egress "nosuchname.invalid,$PRIVATE4"
	[ "$status" -eq 0 ]
	[[ $stderr == *"stint: note: the host 'nosuchname.invalid' in the egress of the zone 'out' cannot be resolved: "* ]]
	[[ $stderr == *"until it can be, no instance starts in that zone"* ]]
	refused 1 "the host 'nosuchname.invalid' in the egress of the zone 'out' cannot be resolved" up hello --zone out
	run --separate-stderr stint zone add other --egress "localhost,$PRIVATE4"
	[ "$status" -eq 0 ]
	[[ $stderr != *resolved* ]]
}

@test "name servers inside are those of the host, or of the zone, and none without egress" {
	stint zone add out --egress internet --dns 9.9.9.9,2620:fe::fe
	stint up hello --name a --zone out
	[ "$(stint exec a -- cat /etc/resolv.conf)" = $'nameserver 9.9.9.9\nnameserver 2620:fe::fe' ]
	stint zone set out --dns none
	[[ "$(stint exec a -- cat /etc/resolv.conf)" != *nameserver* ]]
	stint up hello --name b
	[[ "$(stint exec b -- cat /etc/resolv.conf)" == *"no name server"* ]]
}

@test "a template that needs egress is told what its zone has" {
	printf 'extends: hello\nnetwork: {egress: "10.1.2.3:443"}\n' >"$STINT_ROOT/etc/stint/templates/t.yaml"
	refused 5 "needs egress to '10.1.2.3:443', and the zone 'default' has 'none'" up t
	stint zone add out --egress 10.1.2.3:443,10.1.2.4
	stint up t --zone out
}

@test "published ports work in every zone" {
	stint zone add team --peers allow --egress internet
	stint up hello --name a --zone team
	curl_in_host a
}

@test "an instance that was killed with its keeper leaves no link" {
	stint zone add team --peers allow
	stint up hello --name a --zone team
	[ "$(links)" = 1 ]
	kill_process stint-keeper a
	stint sweep
	eventually 5 no_links
}

@test "a firewall that another program has changed is put back, and that is said" {
	local table

	stint zone add team --peers allow
	stint up hello --name a --zone team
	run stint up hello --name b --zone team
	[[ $output != *"put back"* ]]
	# nobody is there who would notice it first
	kill_process stint-keeper a
	kill_process stint-keeper b
	table=$(on_host nft list tables | awk '{ print $3 }')
	on_host nft flush chain inet "$table" forwarded
	run stint up hello --name c --zone team
	[ "$status" -eq 0 ]
	[[ $output == *"the firewall table '$table' had been changed or removed by another program: it is put back"* ]]
	run stint up hello --name d --zone team
	[[ $output != *"put back"* ]]
}

# How many of the host's processes hear of changes of nftables.
listeners()
{
	on_host awk '$2 == 12 && $4 != "00000000"' /proc/net/netlink | wc -l
}

@test "a few keepers listen for the firewall's loss, whoever of them goes" {
	local i table

	stint zone add team --peers allow
	stint zone add other --peers allow
	for i in 1 2 3 4 5 6 7; do stint up hello --name "n$i" --zone team --no-wait; done
	stint up hello --name o1 --zone other --no-wait
	[ "$(listeners)" -eq 4 ]
	stint down n1 n2
	[ "$(listeners)" -eq 4 ]
	kill_process stint-keeper n3
	kill_process stint-keeper n4
	stint sweep
	[ "$(listeners)" -eq 4 ]
	# none of them has a link any more, but one that has not listened
	stint zone set team --peers deny
	[ "$(listeners)" -eq 1 ]
	table=$(on_host nft list tables | awk '{ print $3 }')
	on_host nft flush ruleset
	eventually 2 on_host nft list table inet "$table" >/dev/null
	stint zone set team --peers allow
	[ "$(listeners)" -eq 4 ]
	stint down --all
	[ "$(listeners)" -eq 0 ]
}

@test "an address that the host routes elsewhere is not taken from there" {
	stint zone add team --peers allow
	on_host ip route add 10.213.0.0/24 via 192.0.2.2
	refused 5 "this host routes 10.213.0.0/24 by 'up0', and a link for 10.213.0.1 would take" \
		up hello --name a --zone team
	on_host ip route del 10.213.0.0/24
	# a route that leads nowhere on purpose takes nothing from anybody
	on_host ip route add unreachable 10.213.0.0/16
	stint up hello --name a --zone team
	on_host ip addr add 10.213.0.3/32 dev up0
	refused 5 "10.213.0.3 is an address of this host" up hello --name b --zone team
}

@test "many instances come and go, and nothing of them stays" {
	local before i

	stint zone add team --peers allow --egress internet
	stint up hello --name stays --zone team
	# where keepers take turns, a file for all of them
	touch "$STINT_ROOT/run/stint/turns"
	before=$(everything_of_the_network)
	for _ in 1 2 3 4; do
		for i in $(seq 50); do
			printf '%s\0' "n$i"
		done | xargs -0 -n 1 -P 8 nsenter -t "$HOST" -n timeout -s KILL 100 \
			"$STINT" up hello --no-wait --zone team --name >/dev/null 2>&1
		[ "$(stint ls -q | wc -l)" = 51 ]
		stint ls -q | grep -v stays | xargs -n 50 nsenter -t "$HOST" -n timeout -s KILL 100 \
			"$STINT" down --now >/dev/null
	done
	eventually 5 is_as_before "$before"
}
