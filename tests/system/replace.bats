#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test has a shell of its own
# One instance after another under the same name: what goes over, who is answered meanwhile, and that
# nothing has changed when the successor does not get ready.
load helper

field()
{
	stint show "$1" --json | jq -r ".$2"
}

# A server that answers each request with its version; /slow takes a second and a half, and is begun
# before that. Connections stay open.
versions()
{
	mkdir -p "$STINT_ROOT/app"
	chmod 755 "$STINT_ROOT" "$STINT_ROOT/app"
	echo one >"$STINT_ROOT/app/version"
	cat >"$STINT_ROOT/app/server" <<-'END'
		use strict; use IO::Socket::INET;
		my $version = do { open my $f, "<", "$ARGV[0]/version" or die; <$f> };
		my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $ARGV[1] // 7001,
			Listen => 99, ReuseAddr => 1) or die $!;
		$| = 1; print "up\n"; $SIG{CHLD} = "IGNORE";
		while (1) {
			my $c = $s->accept() or next;
			next if fork;
			while (my $line = <$c>) {
				while (my $head = <$c>) { last if $head =~ /^\r?\n$/ }
				if ($line =~ m{/slow}) { print STDERR "slow\n"; select undef, undef, undef, 1.5 }
				print $c "HTTP/1.1 200 OK\r\nContent-Length: ", length $version, "\r\n\r\n$version";
			}
			exit;
		}
	END
	template versions <<-END
		template: versions
		install: $STINT_ROOT/app
		run: {command: [/usr/bin/perl, $STINT_ROOT/app/server, $STINT_ROOT/app], grace: 1s}
		ports: {http: 7001}
		ready: {http: {port: http}}
		lease: {ttl: 5m}
	END
}

@test "name, port, lease, owner and zone go over, and the history says who came" {
	local before after port

	stint up hello --name r --ttl 33m
	before=$(stint show r --json)
	port=$(port_of r)
	stint replace r | grep -F "r is replaced"
	after=$(stint show r --json)
	[ "$(jq -r .id <<<"$before")" != "$(jq -r .id <<<"$after")" ]
	for key in name template owner zone deadline '.ports[0].port'; do
		key=.${key#.}
		[ "$(jq -c "$key" <<<"$before")" = "$(jq -c "$key" <<<"$after")" ]
	done
	[ "$(stint ls -q)" = r ]
	get "http://127.0.0.1:$port/" >/dev/null
	stint history --json |
		jq -e ".[0] | .name == \"r\" and (.reason | test(\"^replaced by 'r'\"))"
}

# asking URL FILE: request after request, each on a connection of its own, until told to stop; what
# failed stands in FILE.
asking()
{
	while [ ! -e "$STINT_ROOT/enough" ]; do
		curl -sS --max-time 20 -o /dev/null "$1" 2>>"$2" && echo ok >>"$2.ok"
	done
}

@test "no connection is refused and no request is cut while instances follow upon one another" {
	local url i pids=()

	versions
	stint up versions --name r
	url=http://127.0.0.1:$(port_of r)/
	for i in 1 2 3; do
		asking "$url" "$STINT_ROOT/asked.$i" &
		pids+=($!)
	done
	for i in 1 2 3; do stint replace r; done
	touch "$STINT_ROOT/enough"
	wait "${pids[@]}"
	cat "$STINT_ROOT"/asked.?
	[ -z "$(cat "$STINT_ROOT"/asked.? 2>/dev/null)" ]
	[ "$(cat "$STINT_ROOT"/asked.?.ok | wc -l)" -gt 30 ]
}

@test "who waits for an answer gets it from the old one, and an idle connection ends by itself" {
	local url

	versions
	stint up versions --name r
	url=http://127.0.0.1:$(port_of r)
	curl -sS --max-time 20 "$url/slow" >"$STINT_ROOT/answer" &
	eventually 5 sh -c "'$STINT' logs r 2>&1 | grep -q slow"
	exec 7<>"/dev/tcp/127.0.0.1/$(port_of r)"
	printf 'GET / HTTP/1.1\r\n\r\n' >&7
	read -r -u 7
	echo two >"$STINT_ROOT/app/version"
	stint replace r
	wait $!
	[ "$(cat "$STINT_ROOT/answer")" = one ]
	[ "$(get "$url/")" = two ]
	# what is left of the answer, and then its end, not a reset
	run -0 cat <&7
	exec 7>&-
}

@test "a connection that is busy all the time is served until --drain is over, and no longer" {
	local url begin

	versions
	stint up versions --name r
	url=http://127.0.0.1:$(port_of r)
	(
		exec 7<>"/dev/tcp/${url#http://127.0.0.1:}" 2>/dev/null || exec 7<>"/dev/tcp/127.0.0.1/${url##*:}"
		while printf 'GET / HTTP/1.1\r\n\r\n' >&7 && read -r -t 5 -u 7; do :; done
	) 2>/dev/null &
	eventually 5 sh -c "'$STINT' show r --json | jq -e '.ports[0].connections == 1'"
	begin=$SECONDS
	stint replace r --drain 2s
	[ $((SECONDS - begin)) -lt $((20 * SLOW)) ]
	[ "$(stint ls -q)" = r ]
	wait
}

@test "the successor is on the newest generation, and the old one goes" {
	versions
	stint install add app "$STINT_ROOT/app"
	stint up versions --name r
	echo two >"$STINT_ROOT/app/version"
	stint install adopt app
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = one ]
	stint replace r
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = two ]
	stint install prune app
	[ "$(stint install show app --json | jq '.generations | length')" -eq 1 ]
}

@test "another template takes over where it has the ports, whatever their numbers inside" {
	versions
	sed -e 's/versions$/other/' -e 's/7001/7002/' -e "s|app\]|app, '7002']|" \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template other
	sed -e 's/versions$/third/' -e 's/http: 7001/web: 7001/' -e 's/port: http/port: web/' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template third
	stint up versions --name r
	refused 5 "template 'third' has no port" replace r third
	[ "$(field r template)" = versions ]
	stint replace r other
	[ "$(field r template)" = other ]
	[ "$(field r 'ports[0].inside_port')" -eq 7002 ]
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = one ]
	refused 2 "for a template" replace r --memory 100M
	# what nobody had published does not become public by that, and is said
	sed -e 's/other$/more/' -e 's/{http: 7002}/{http: 7002, admin: 7003, web: 7004}/' \
		"$STINT_ROOT/etc/stint/templates/other.yaml" | template more
	run --separate-stderr stint replace r more
	[ "$status" -eq 0 ]
	[[ $stderr == *"note: not published, because 'r' published none of that name: 'admin', 'web'; 'stint up more --recreate --name r' publishes all"* ]]
	[ "$(field r 'ports | length')" -eq 1 ]
	# with the plan that it has, nothing is new
	run --separate-stderr stint replace r
	[[ $stderr != *"not published"* ]]
}

@test "when the successor does not get ready, nothing has changed" {
	local id

	versions
	sed -e 's/versions$/broken/' -e 's|ready: .*|ready: {http: {port: http, path: /, status: 500}, timeout: 1s}|' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template broken
	stint up versions --name r
	id=$(id_of r)
	run stint replace r broken
	echo "$status: $output"
	[ "$status" -eq 6 ]
	[[ $output == *"'r' was not replaced: 'next."*"not ready within 1s"* ]]
	[ "$(id_of r)" = "$id" ]
	[ "$(stint ls -q)" = r ]
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = one ]
	# and it can be replaced later
	stint replace r
	[ "$(id_of r)" != "$id" ]
}

@test "one that is killed, or told to go, before the place was taken leaves the old one as it was" {
	local id pid

	versions
	sed -e 's/versions$/late/' -e 's|ready: .*|ready: {command: [/bin/sh, -c, "test -e /tmp/now"]}|' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template late
	stint up versions --name r
	id=$(id_of r)
	"$STINT" replace r late >/dev/null 2>&1 &
	pid=$!
	eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
	refused 5 "being replaced already" replace r
	kill -KILL "$pid"
	eventually 10 sh -c "test \"\$('$STINT' ls -q)\" = r"
	[ "$(id_of r)" = "$id" ]
	"$STINT" replace r late >/dev/null 2>&1 &
	pid=$!
	eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(stint ls -q)" = r ]
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = one ]
}

@test "an end or an extension meanwhile is not lost" {
	local pid

	versions
	sed -e 's/versions$/late/' -e 's|ready: .*|ready: {command: [/bin/sh, -c, "test -e /tmp/now"]}|' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template late
	stint up versions --name r --ttl 10m
	"$STINT" replace r late >/dev/null 2>&1 &
	pid=$!
	eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
	stint extend r +1h
	next=$(stint ls -q | grep '^next[.]')
	eventually 5 sh -c "'$STINT' exec $next -- touch /tmp/now"
	wait "$pid"
	[ "$(field r template)" = late ]
	[ "$(field r left_seconds | cut -d. -f1)" -gt 3600 ]
	"$STINT" replace r versions >"$STINT_ROOT/words" 2>&1 &
	pid=$!
	wait "$pid"
	"$STINT" replace r late >"$STINT_ROOT/words" 2>&1 &
	pid=$!
	eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
	next=$(stint ls -q | grep '^next[.]')
	stint down r
	eventually 5 sh -c "'$STINT' exec $next -- touch /tmp/now"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -F "'r' was not replaced: it ended meanwhile" "$STINT_ROOT/words"
	[ -z "$(stint ls -q)" ]
}

@test "what ends with its command, is frozen or kept cannot be replaced" {
	stint run hello --name r -- sleep 60 &
	eventually 10 sh -c "test \"\$('$STINT' show r --json | jq -r .state)\" = ready"
	refused 5 "ends with the command that started it" replace r
	stint down r
	wait || true
	refused 3 "no instance" replace r
}

@test "instances of the zone find the successor under the name" {
	stint zone add open --peers allow
	stint up hello --name r --zone open
	stint up hello --name s --zone open
	stint replace r
	[ "$(stint exec s -- sh -c 'grep -w r /etc/hosts' | awk 'NR == 1 { print $1 }')" = "$(field r address)" ]
	run ! stint exec s -- grep -q 'next[.]' /etc/hosts
}

@test "more ports than fit into one packet go over" {
	local i ports=

	versions
	for ((i = 1; i <= 12; i++)); do ports+="p$i: $((8000 + i)), "; done
	sed -i -e "s/ports: {/ports: {$ports/" "$STINT_ROOT/etc/stint/templates/versions.yaml"
	stint up versions --name r
	before=$(stint port r --json | jq -c '[.[] | [.name, .port]]')
	stint replace r
	[ "$(stint port r --json | jq -c '[.[] | [.name, .port]]')" = "$before" ]
	[ "$(get "http://127.0.0.1:$(port_of r)/")" = one ]
}

@test "an end that has begun stays one, also while the old one takes its time" {
	versions
	sed -i -e "s|grace: 1s|grace: 8s|" "$STINT_ROOT/etc/stint/templates/versions.yaml"
	sed -i -e '1i $SIG{TERM} = sub { sleep 4; exit };' "$STINT_ROOT/app/server"
	sed -e 's/versions$/late/' -e 's|ready: .*|ready: {command: [/bin/sh, -c, "test -e /tmp/now"]}|' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template late
	stint up versions --name r
	"$STINT" replace r late >"$STINT_ROOT/words" 2>&1 &
	replacing=$!
	eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
	next=$(stint ls -q | grep '^next[.]')
	"$STINT" down r &
	ending=$!
	eventually 10 sh -c "test \"\$('$STINT' show r --json | jq -r .state)\" = stopping"
	stint exec "$next" -- touch /tmp/now
	status=0
	wait "$replacing" || status=$?
	[ "$status" -eq 1 ]
	grep -F "it ended meanwhile, or is about to" "$STINT_ROOT/words"
	wait "$ending"
	[ -z "$(stint ls -q)" ]
}

@test "the drain is what the command wanted, whoever finishes what it began" {
	versions
	stint up versions --name r
	exec 7<>"/dev/tcp/127.0.0.1/$(port_of r)"
	# an answer is waited for, so that only the time ends it
	printf 'GET /slow HTTP/1.1\r\n' >&7
	eventually 5 sh -c "'$STINT' show r --json | jq -e '.ports[0].connections == 1'"
	(
		while [ ! -e "$STINT_ROOT/enough" ]; do "$STINT" sweep >/dev/null 2>&1; done
	) 3>&- &
	begin=$SECONDS
	stint replace r --drain 3s
	touch "$STINT_ROOT/enough"
	wait $!
	[ $((SECONDS - begin)) -lt $((15 * SLOW)) ]
	exec 7>&-
}

@test "a server that has closed its side keeps nobody waiting" {
	versions
	sed -i -e 's/while (my \$line = <\$c>) {/my \$line = <\$c>; {/' "$STINT_ROOT/app/server"
	stint up versions --name r
	exec 7<>"/dev/tcp/127.0.0.1/$(port_of r)"
	printf 'GET / HTTP/1.1\r\n\r\n' >&7
	read -r -u 7
	begin=$SECONDS
	stint replace r
	[ $((SECONDS - begin)) -lt $((12 * SLOW)) ]
	exec 7>&-
}

@test "the bound of a template's lease holds for who takes a place" {
	versions
	sed -e 's/versions$/short/' -e 's|lease: .*|lease: {ttl: 10s, max: 2m}|' \
		"$STINT_ROOT/etc/stint/templates/versions.yaml" | template short
	stint up versions --name r --ttl 10m
	refused 5 "template 'short' allows 2m" replace r short
	stint down r
	stint up versions --name r --ttl 90s
	stint replace r short
	refused 5 "beyond" extend r +1h
	refused 5 "lease is that of who has the name" extend "$(
		stint up versions --name s >/dev/null
		sed -e 's/versions$/late/' -e 's|ready: .*|ready: {command: [/bin/false]}|' \
			"$STINT_ROOT/etc/stint/templates/versions.yaml" | template late
		"$STINT" replace s late >/dev/null 2>&1 3>&- &
		eventually 10 sh -c "'$STINT' ls -q | grep -q '^next[.]'"
		stint ls -q | grep '^next[.]'
	)" +1m
}
