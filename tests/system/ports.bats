#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Published ports: where they are bound, what "stint port" says of them, and what goes through.

load helper

port_field()
{
	stint port "$1" --json | jq -r ".[0].$2"
}

@test "a port is published on the address that was given, and port prints it" {
	local form
	local -A forms=(
		["http"]=127.0.0.1
		["127.0.0.2:0:http"]=127.0.0.2
		["0.0.0.0:0:http"]=0.0.0.0
		["[::1]:0:http"]=::1
		["[::]:0:http"]=::
	)

	for form in "${!forms[@]}"; do
		stint up hello --name p -p "$form"
		[ "$(port_field p address)" = "${forms[$form]}" ]
		[ "$(port_field p name)" = http ]
		[ "$(port_field p inside_port)" -eq 5555 ]
		stint port p | grep -F "${forms[$form]}" | grep -wF "$(port_field p port)"
		get "$(port_field p url)/" >/dev/null
		stint down p --now
	done
}

@test "a published port stays on loopback unless another address is named" {
	local address port

	address=$(ip -4 -o address show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
	[ -n "$address" ] || skip "this host has loopback only"
	stint up hello --name p -p http
	port=$(port_field p port)
	run ! curl -sS --max-time 5 "http://$address:$port/"
	stint up hello --name q -p "0.0.0.0:0:http"
	get "http://$address:$(port_field q port)/" >/dev/null
}

@test "what cannot be bound is refused with the reason" {
	refused 1 "192.0.2.77 is no address of this host" up hello -p 192.0.2.77:0:http
	refused 1 "link" up hello -p "[fe80::1]:0:http"
	refused 2 "no IP address" up hello -p nowhere:1:http
	stint up hello --name p
	refused 1 "port $(port_field p port) of '127.0.0.1' is already published by the instance 'p' of 'root'" \
		up hello -p "$(port_field p port):http"
	serve=$(mktemp -u /tmp/stint-port.XXXXXX)
	perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(LocalHost => "127.0.0.1", LocalPort => 0,
		Listen => 1) or die; print $s->sockport, "\n"; close STDOUT; sleep 60' 3>&- >"$serve" &
	eventually 5 test -s "$serve"
	refused 1 "port $(cat "$serve") on 127.0.0.1 is in use; choose another" \
		up hello -p "$(cat "$serve"):http"
	kill $!
	rm "$serve"
	refused 3 "nobody" port nobody
}

# A server that parses the header of PROXY protocol version 2 itself, answers who its client is, and
# then what it was sent.
proxied()
{
	mkdir -p "$STINT_ROOT/proxied"
	chmod 755 "$STINT_ROOT" "$STINT_ROOT/proxied"
	cat >"$STINT_ROOT/proxied/server" <<-'END'
		use strict; use Socket; use IO::Socket::INET;
		my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => 7001, Listen => 9) or die $!;
		$| = 1; print "up\n";
		while (my $c = $s->accept()) {
			my ($head, $rest);
			read($c, $head, 16) == 16 or next;
			my ($magic, $version, $family, $length) = unpack("a12CCn", $head);
			$magic eq "\r\n\r\n\0\r\nQUIT\n" && $version == 0x21 or die "no header";
			read($c, $rest, $length) == $length or die;
			my $n = $family == 0x11 ? 4 : 16;
			my ($from, $on, $port, $at) = unpack("a${n}a${n}nn", $rest);
			my $name = Socket::inet_ntop($n == 4 ? AF_INET : AF_INET6, $from);
			my $here = Socket::inet_ntop($n == 4 ? AF_INET : AF_INET6, $on);
			print $c "client $name $port at $here $at via ", $c->peerhost, "\n", <$c>;
			close $c;
		}
	END
	template proxied <<-END
		template: proxied
		install: $STINT_ROOT/proxied
		run: {command: [/usr/bin/perl, $STINT_ROOT/proxied/server, $1]}
		ports: {raw: {port: 7001, $2}}
		ready: {log: up}
		lease: {ttl: 5m}
	END
}

# say ADDRESS PORT SOURCE-PORT: what the server answers to "hi", sent from that port.
say()
{
	perl -MIO::Socket::IP -e '
		alarm 60;
		my $c = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 10)
			or die "cannot connect: $@";
		print "from ", $c->sockport, "\n";
		print $c "hi\n"; shutdown($c, 1); print <$c>' "$1" "$2"
}

@test "a server that asked for it is told who its client is, in IPv4 and IPv6" {
	proxied 0.0.0.0 "proxy: true"
	stint up proxied --name four -p raw
	stint up proxied --name six -p "[::1]:0:raw"
	[[ $(stint ls) == *" [::1]:$(port_field six port)/raw"* ]]
	run -0 say 127.0.0.1 "$(port_field four port)"
	[ "${lines[1]% via*}" = "client 127.0.0.1 ${lines[0]#from } at 127.0.0.1 $(port_field four port)" ]
	[ "${lines[2]}" = hi ]
	run -0 say ::1 "$(port_field six port)"
	[ "${lines[1]% via*}" = "client ::1 ${lines[0]#from } at ::1 $(port_field six port)" ]
	[ "${lines[2]}" = hi ]
}

@test "an instance's loopback is connected to only if the template says so" {
	proxied 127.0.0.1 "proxy: true"
	stint up proxied --name closed -p raw
	run say 127.0.0.1 "$(port_field closed port)"
	[[ $output != *client* ]]
	proxied 127.0.0.1 "proxy: true, loopback: true"
	stint up proxied --name opened -p raw
	run -0 say 127.0.0.1 "$(port_field opened port)"
	[[ ${lines[1]} == *" via 127.0.0.1" ]]
}

counted()
{
	stint show "$1" --json | jq -e ".ports[0] | $2" >/dev/null
}

@test "show has the connections and bytes of each port" {
	stint up hello --name c
	counted c ".connections == 0 and .connections_total == 0 and .bytes_out == 0"
	get "http://127.0.0.1:$(port_of c)/big/300000" >/dev/null
	eventually 5 counted c ".connections == 0 and .connections_total == 1"
	counted c ".bytes_out > 300000 and .bytes_out < 301000 and .bytes_in > 20 and .bytes_in < 1000"
	exec 5<>"/dev/tcp/127.0.0.1/$(port_of c)"
	eventually 5 counted c ".connections == 1 and .connections_total == 2"
	stint show c | grep -F "2 connections, 1 now"
	exec 5>&-
	eventually 5 counted c ".connections == 0"
	kill_process stint-forwarder c
	eventually 5 get "http://127.0.0.1:$(port_of c)/" >/dev/null
	counted c ".connections_total >= 3 and .connections <= 1"
}

@test "what a client sends before its end of stream is answered after it, much and slowly read" {
	proxied 0.0.0.0 "proxy: true"
	stint up proxied --name half -p raw
	# the server echoes line by line while nobody reads: every buffer on the way is full
	# shellcheck disable=SC2016 # perl's
	run -0 perl -MIO::Socket::INET -e '
		alarm 60;
		my $c = IO::Socket::INET->new(PeerHost => "127.0.0.1", PeerPort => $ARGV[0]) or die $!;
		my $line = "x" x 1023 . "\n";
		print $c $line for 1 .. 20000;
		shutdown($c, 1);
		my $head = <$c>;
		my $n = 0;
		while (<$c>) { $_ eq $line or die "wrong line"; $n++; }
		print "$n lines after $head";' "$(port_field half port)"
	[[ $output == "20000 lines after client 127.0.0.1 "* ]]
}

descriptors_of()
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

@test "two thousand idle connections are held, counted, and given back" {
	local forwarder before

	stint up hello --name crowd
	forwarder=$(processes_of stint-forwarder crowd)
	before=$(descriptors_of "$forwarder")
	# shellcheck disable=SC2016 # perl's
	exec 6> >(ulimit -n "$(ulimit -Hn)"; exec perl -MIO::Socket::INET -e '
		alarm 60;
		my @held = map { IO::Socket::INET->new(PeerHost => "127.0.0.1", PeerPort => $ARGV[0]) or die $! } 1 .. 2000;
		my $end = <STDIN>;' "$(port_of crowd)")
	eventually 30 counted crowd ".connections == 2000"
	exec 6>&-
	eventually 30 counted crowd ".connections == 0"
	# one pipe may wait for the next loan, one socket for the next connection
	[ "$(descriptors_of "$forwarder")" -le $((before + 3)) ]
	get "http://127.0.0.1:$(port_of crowd)/" >/dev/null
}
