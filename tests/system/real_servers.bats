#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two Tomcats and two Node-REDs at once from one install each; scripts/servers has put them there.
load helper
load servers/work

installs=(/usr/share/tomcat10 /var/lib/tomcat10 /etc/tomcat10 /var/log/tomcat10
	/var/cache/tomcat10 /opt/node-red)

hash_installs()
{
	find "${installs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
	find "${installs[@]}" -printf '%p %y %m %U %G %s %T@\n' | grep -v ' d ' | sort | sha256sum
}

deploy_page()
{
	echo "page of $1" >"$STINT_ROOT/page"
	stint exec "$1" -- mkdir -p /var/lib/tomcat10/webapps/app
	stint cp "$STINT_ROOT/page" "$1:/var/lib/tomcat10/webapps/app/page.txt"
	# a page that is a program: the server compiles it into its work directory
	echo "jsp of $1: <%= 6 * 7 %>" | stint cp - "$1:/var/lib/tomcat10/webapps/app/page.jsp"
	echo "only $1" | stint cp - "$1:/var/lib/tomcat10/webapps/app/only-$1.txt"
}

# Nothing of what was deployed into the other: answers_nothing NAME PATH
answers_nothing()
{
	[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "http://127.0.0.1:$(port_of "$1")$2")" = 404 ]
}

# The same port of the server in both, and two ports on the host.
has_default_port()
{
	[ "$(stint show "$1" --json | jq '.ports[0].inside_port // .ports[0].inside')" = "$2" ] ||
		[[ $(stint show "$1") == *"-> $2 inside"* ]]
}

answers()
{
	[ "$(get "http://127.0.0.1:$(port_of "$1")$2" 2>/dev/null)" = "$3" ]
}

# asking FILE CURL-OPTION...: until told to stop; what failed stands in FILE.
asking()
{
	local file=$1
	shift

	while [ ! -e "$STINT_ROOT/enough" ]; do
		curl -sS --max-time 60 -o /dev/null "$@" 2>>"$file" && echo ok >>"$file.ok"
	done
}

@test "a Tomcat is replaced under load: nothing is refused, and nothing cut" {
	local url pids=() i

	stint up tomcat --name t
	url=http://127.0.0.1:$(port_of t)/
	for i in 1 2; do
		asking "$STINT_ROOT/asked.$i" -H 'Connection: close' "$url" &
		pids+=($!)
	done
	# connections that stay open, with and without a pause between two requests
	asking "$STINT_ROOT/asked.3" "$url?[1-500]" &
	pids+=($!)
	asking "$STINT_ROOT/asked.4" --rate 4/s "$url?[1-12]" &
	pids+=($!)
	for i in 1 2; do stint replace t; done
	touch "$STINT_ROOT/enough"
	wait "${pids[@]}"
	cat "$STINT_ROOT"/asked.?
	[ -z "$(cat "$STINT_ROOT"/asked.?)" ]
	for i in 1 2 3 4; do [ -s "$STINT_ROOT/asked.$i.ok" ]; done
	[ "$(wc -l <"$STINT_ROOT/asked.1.ok")" -gt 50 ]
}

end_load()
{
	[ -n "${LOAD-}" ] || return 0
	touch "$STINT_ROOT/enough"
	kill -INT "${LOAD[0]}" || true
	wait "${LOAD[@]}" || true
	LOAD=()
}

teardown()
{
	end_load
	clean_up
}

# What wrk says of requests that came to no good end stands in lines of their own, if there are any.
@test "three replaces of a Tomcat under wrk, and under clients that keep their connections" {
	local port i

	command -v wrk >/dev/null || skip "no wrk here; run scripts/deps test"
	stint up tomcat --name t
	port=$(port_of t)
	wrk -t 1 -c 8 -d 390s --timeout 30s -H 'Connection: close' "http://127.0.0.1:$port/" \
		>"$STINT_ROOT/wrk" 2>&1 3>&- &
	LOAD=($!)
	# one that never pauses for long, and one whose connections are idle between two requests
	for i in 0.02 1.5; do
		"$BATS_TEST_DIRNAME/servers/keep-alive" "$port" "$i" "$STINT_ROOT/enough" \
			>"$STINT_ROOT/kept.$i" 3>&- &
		LOAD+=($!)
	done
	for i in 1 2 3; do
		stint replace t --drain 10s
	done
	end_load
	cat "$STINT_ROOT"/wrk "$STINT_ROOT"/kept.*
	[ "$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$STINT_ROOT/wrk")" -gt 500 ]
	run ! grep -E 'Socket errors|Non-2xx' "$STINT_ROOT/wrk"
	for i in 0.02 1.5; do
		[ "$(grep -vc '^answered ' "$STINT_ROOT/kept.$i")" = 0 ]
		# it was closed, and another one was made
		[ "$(sed -n 's/^answered .* on //p' "$STINT_ROOT/kept.$i")" -ge 2 ]
	done
}

@test "two Tomcats and two Node-REDs, each with its own content" {
	before=$(hash_installs)
	for name in t1 t2; do
		"$STINT" up tomcat --name $name >/dev/null 2>&1 3>&- &
	done
	for name in n1 n2; do
		"$STINT" up node-red --name $name >/dev/null 2>&1 3>&- &
	done
	wait
	[ "$(stint ls --json | jq -r 'map(select(.state == "ready")) | length')" -eq 4 ]
	for name in t1 t2; do
		deploy_page $name
	done
	for name in n1 n2; do
		deploy_flow $name
	done
	for name in t1 t2; do
		eventually 30 answers $name /app/page.txt "page of $name"
	done
	for name in n1 n2; do
		eventually 30 answers $name /mine "flow of $name"
	done
	for name in t1 t2; do
		eventually 30 answers $name /app/page.jsp "jsp of $name: 42"
		eventually 30 answers $name /app/only-$name.txt "only $name"
		has_default_port $name 8080
	done
	has_default_port n1 1880
	has_default_port n2 1880
	answers_nothing t1 /app/only-t2.txt
	answers_nothing t2 /app/only-t1.txt
	for name in n1 n2; do
		[ "$(get "http://127.0.0.1:$(port_of $name)/flows" | jq 'length')" -eq 4 ]
	done
	[ "$(stint ls --json | jq -r '.[].ports[0].port' | sort -u | wc -l)" -eq 4 ]
	# while they run, as after them
	[ "$(hash_installs)" = "$before" ]
	[[ $(stint diff t1) == *"A /var/lib/tomcat10/webapps/app"* ]]
	run ! stint exec t1 -- ls /opt/node-red
	stint down t1 n2
	answers t2 /app/page.txt "page of t2"
	answers n1 /mine "flow of n1"
	stint down --all
	nothing_left
	[ "$(hash_installs)" = "$before" ]
}

# What a Java in this instance takes for itself at most, in MiB.
heap_of()
{
	echo '<%= Runtime.getRuntime().maxMemory() >> 20 %>' |
		stint cp - "$1:/var/lib/tomcat10/webapps/ROOT/heap.jsp"
	get "http://127.0.0.1:$(port_of "$1")/heap.jsp"
}

@test "the heap of a Java is a part of the memory that its instance may use" {
	local memory heap

	for memory in 512 1024; do
		stint up tomcat --name "m$memory" --memory "${memory}M"
		heap=$(heap_of "m$memory")
		echo "of $memory MiB the heap may take $heap"
		# a quarter, of which some collectors keep a part to themselves
		[ "$heap" -ge $((memory / 5)) ] && [ "$heap" -le $((memory / 4)) ]
		stint down "m$memory"
	done
	nothing_left
}
