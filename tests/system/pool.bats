#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # status and output come from run
# Instances that are started ahead, frozen, and claimed.
load helper

setup()
{
	set_up
	web
}

teardown()
{
	local pool

	for pool in $("$STINT" pool ls --json | jq -r '.[] | .template + ":" + .zone'); do
		"$STINT" pool rm "${pool%:*}" --zone "${pool#*:}" >/dev/null 2>&1 || true
	done
	eventually 10 nobody_fills
	clean_up
}

nobody_fills()
{
	local pid

	for pid in $(pgrep -fx "stint fill"); do
		! grep -qszx "STINT_ROOT=$STINT_ROOT" "/proc/$pid/environ" || return 1
	done
}

# A server that says who it is, and when it was started.
web()
{
	template web <<-END
		template: web
		extends: hello
		${1-}
	END
}

url_of()
{
	stint port "$1" --json | jq -r '.[0].url'
}

pool()
{
	stint pool ls --json | jq -r ".[0].$1"
}

is_full()
{
	[ "$(pool ready)" -eq "$1" ] && [ "$(pool spares)" -eq "$1" ] && nobody_fills
}

spares()
{
	stint ls --json | jq -r '.[] | select(.state == "spare") | .id' | sort
}

@test "a spare is claimed with name, owner, lease and ports, and another one is started" {
	local id

	stint pool set web 1
	is_full 1
	id=$(spares)
	[ "$(stint show "$id" --json | jq -r '.name, .state')" = "spare.$id"$'\n'spare ]
	stint up web --name mine --ttl 10m -p 0:http >"$STINT_ROOT/out" 2>"$STINT_ROOT/err"
	[ ! -s "$STINT_ROOT/err" ]
	[ "$(id_of mine)" = "$id" ]
	[ "$(state_of mine)" = ready ]
	stint show mine --json | jq -e '.left_seconds > 590 and .left_seconds <= 600 and .owner == "root"'
	[[ $(get "$(url_of mine)") == *"hello from $id"* ]]
	[ "$(stint exec mine -- hostname)" = "$id" ]
	eventually 10 is_full 1
	[ "$(spares)" != "$id" ]
	[ "$(pool hits)" -eq 1 ]
	[ "$(pool misses)" -eq 0 ]
	[ "$(stint events | awk '$2 == "mine" { print $3 }' | head -3 | xargs)" = "created claimed ready" ]
	# what it counts begins with the claim
	stint show mine --json | jq -e '.ports[0].connections_total == 1'
	stint extend mine +5m
	stint reset mine
	[[ $(get "$(url_of mine)") == *"hello from $id"* ]]
	stint replace mine --drain 0s
	[[ $(get "$(url_of mine)") == *"hello from $(id_of mine)"* ]]
}

@test "a spare is frozen, uses no processor, and does not answer" {
	local id hierarchy

	stint pool set web 1
	id=$(spares)
	hierarchy=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	[ "$(cat "$hierarchy/$GROUP/$id/server/cgroup.freeze")" = 1 ]
	refused 125 "the instance is spare" exec "spare.$id" -- true
	refused 5 "it is spare" replace "spare.$id"
	stint up web --name x
	[ "$(cat "$hierarchy/$GROUP/$id/server/cgroup.freeze")" = 0 ]
}

@test "50 at once on a pool of 10: each is somebody's own, none is used twice" {
	local i pids=() ready

	stint pool set web 10
	eventually 10 is_full 10
	ready=$(spares)
	for ((i = 0; i < 50; i++)); do
		"$STINT" up web --name "c$i" >"$STINT_ROOT/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(stint ls -q | grep -c '^c')" -eq 50 ]
	[ "$(stint ls --json | jq -r '.[] | select(.state == "ready") | .id' | sort -u | wc -l)" -eq 50 ]
	for ((i = 0; i < 50; i++)); do
		[[ $(get "$(url_of "c$i")") == *"hello from $(id_of "c$i")"* ]]
	done
	# all that were there are somebody's
	[ -z "$(comm -12 <(echo "$ready") <(spares))" ]
	[ $(($(pool hits) + $(pool misses))) -eq 50 ]
	[ "$(pool hits)" -ge 10 ]
	eventually 20 is_full 10
	stint down --all
	# what is a pool's stays
	[ "$(spares | wc -l)" -eq 10 ]
}

@test "what asks for another instance is started anew, and is told so" {
	stint pool set web 1
	for option in --env=A=b --memory=100M --no-hold --best-effort; do
		run stint up web --name x "$option"
		[ "$status" -eq 0 ]
		[[ $output == *"not taken from the pool: ${option%%=*}"* ]]
		stint down x
	done
	# a pool is for one zone
	stint zone add other
	run stint up web --name x --zone other
	[ "$status" -eq 0 ]
	[[ $output != *pool* ]]
	[ "$(pool hits)" -eq 0 ]
	[ "$(pool misses)" -eq 0 ]
	[ "$(spares | wc -l)" -eq 1 ]
}

@test "what is to be kept of a failed one is not left to a disk in memory" {
	web 'limits: {disk: 50M, memory: 100M}'
	stint pool set web 1
	run stint up web --name x --keep-failed 1h
	[[ $output == *"not taken from the pool: --keep-failed"* ]]
	stint up web --name y
	[ "$(pool hits)" -eq 1 ]
	web 'lease: {keep_failed: 1h}'
	run stint up web --name z --keep-failed 2h
	eventually 10 is_full 1
	stint up web --name w --keep-failed 2h
	[ "$(pool hits)" -eq 2 ]
	web
	stint pool set web 1
	run stint up web --name v --cpus 1
	[[ $output == *"not taken from the pool: --cpus"* ]]
}

@test "a name or a port that is taken leaves the spare where it was" {
	stint pool set web 1
	stint up hello --name taken
	port=$(port_of taken)
	before=$(spares)
	refused 4 "'taken' is taken" up web --name taken
	refused 1 "$port" up web --name x -p "$port:http"
	[ "$(spares)" = "$before" ]
	stint up web --name x
	[ "$(id_of x)" = "$before" ]
}

@test "without a spare that is ready it is started as ever, and counted" {
	web 'ready: {command: [/bin/sh, -c, "sleep 2"], timeout: 30s}'
	stint pool set web 1 --no-wait | grep -q "0 of 1 ready; the others follow"
	stint up web --name x --no-wait
	[ "$(pool misses)" -eq 1 ]
	eventually 20 is_full 1
}

@test "before anybody has looked at what its spares are to be like a pool is empty, and no other" {
	web
	stint pool set web 1
	sqlite3 "$STINT_ROOT/var/lib/stint/store.db" "UPDATE pool SET likeness = NULL"
	run stint up web --name x --no-wait
	[ "$status" -eq 0 ]
	[[ $output != *"another state"* ]]
	[ "$(pool misses)" -eq 1 ]
}

@test "spares follow the template, and the host's files that it takes" {
	local old

	echo one >"$STINT_ROOT/page"
	web "files: {/var/page: {from: $STINT_ROOT/page}}"
	stint pool set web 1
	old=$(spares)
	echo two >"$STINT_ROOT/page"
	stint up web --name a
	[ "$(stint exec a -- cat /var/page)" = two ]
	eventually 10 is_full 1
	[ "$(spares)" != "$old" ]
	old=$(spares)
	web "run: {env: {A: b}}"
	run stint up web --name b
	[[ $output == *"another state of the template"* ]]
	[ "$(stint exec b -- sh -c 'echo $A')" = b ]
	is_new() { is_full 1 && [ "$(spares)" != "$old" ]; }
	eventually 10 is_new
	stint up web --name c
	[ "$(stint exec c -- sh -c 'echo $A')" = b ]
	[ "$(pool hits)" -eq 1 ]
}

@test "spares follow what is in a directory of the host, and where a link to it leads" {
	mkdir -p "$STINT_ROOT"/{one,two}/below
	echo one >"$STINT_ROOT/one/below/page"
	echo two >"$STINT_ROOT/two/below/page"
	ln -s one "$STINT_ROOT/now"
	web "files: {/var/tree: {from: $STINT_ROOT/now}}"
	stint pool set web 1
	echo three >"$STINT_ROOT/one/below/page"
	stint up web --name a
	[ "$(stint exec a -- cat /var/tree/below/page)" = three ]
	eventually 10 is_full 1
	ln -sfn two "$STINT_ROOT/now"
	stint up web --name b
	[ "$(stint exec b -- cat /var/tree/below/page)" = two ]
	eventually 10 is_full 1
	stint up web --name c
	[ "$(stint exec c -- cat /var/tree/below/page)" = two ]
	[ "$(pool hits)" -eq 1 ]
}

@test "spares follow a new generation of the install" {
	local old

	mkdir "$STINT_ROOT/app"
	echo 1 >"$STINT_ROOT/app/version"
	stint install add app "$STINT_ROOT/app"
	template app <<-END
		template: app
		install: app
		run: {command: [/bin/sleep, 600]}
		ready: none
	END
	stint pool set app 1
	old=$(spares)
	echo 2 >"$STINT_ROOT/app/version"
	stint install adopt app
	is_new() { is_full 1 && [ "$(spares)" != "$old" ]; }
	eventually 10 is_new
	stint up app --name x
	[ "$(stint exec x -- cat "$STINT_ROOT/app/version")" = 2 ]
	[ "$(pool hits)" -eq 1 ]
}

@test "spares on a live install that has changed are not claimed" {
	mkdir "$STINT_ROOT/app"
	echo 1 >"$STINT_ROOT/app/version"
	stint install live app "$STINT_ROOT/app"
	template app <<-END
		template: app
		install: app
		run: {command: [/bin/sleep, 600]}
		ready: none
	END
	stint pool set app 1
	echo 2 >"$STINT_ROOT/app/other"
	stint up app --name x
	[ "$(stint show x --json | jq .tainted)" -eq 0 ]
	[ "$(pool hits)" -eq 0 ]
	eventually 10 is_full 1
	stint up app --name y
	[ "$(pool hits)" -eq 1 ]
}

@test "a claimed one is known in its zone, and a spare is not" {
	stint zone add open --peers allow
	stint pool set web 1 --zone open
	stint up hello --name other --zone open
	run stint exec other -- cat /etc/hosts
	[[ $output != *"$(spares)"* ]]
	refused 5 "gets its lease when it is claimed" extend "$(spares)" +5m
	stint up web --name x --zone open
	stint exec other -- cat /etc/hosts | grep -w x.open.stint | grep -qw "$(id_of x)"
	stint exec other -- cat /etc/hosts | grep -qw "$(stint show x --json | jq -r .address)"
	eventually 10 is_full 1
	stint down --all
	refused 5 "stint pool rm TEMPLATE --zone open" zone rm open
}

@test "what binds itself at its start is refused, with the reason" {
	web 'no_spares: "its certificate names its owner"'
	refused 5 "its certificate names its owner" pool set web 1
	web 'secrets: {key: {path: /etc/key}}'
	refused 5 "is given secrets" pool set web 1
	web 'ha_group: pair'
	refused 5 "high-availability group" pool set web 1
	web 'hooks: {after_end: {command: [/bin/true]}}'
	refused 5 "its hooks" pool set web 1
	refused 2 "no number of spares" pool set hello none
	refused 2 "no number of spares" pool set hello 0
	refused 2 "no such time" pool set hello 1 --max-age soon
	refused 3 "nosuch" pool set nosuch 1
	refused 3 "no pool of 'web'" pool rm web
	[ "$(stint pool ls)" = "no pools; 'stint pool set TEMPLATE NUMBER' makes one" ]
}

@test "a template that does not start is tried later, and 'pool ls' says why" {
	web 'run: {command: [/bin/false]}'
	refused 1 "cannot be filled" pool set web 2
	stint pool ls | grep "web in default cannot be filled: .*server exited with status 1"
	[ "$(pool failures)" -eq 1 ]
	stint sweep
	eventually 5 nobody_fills
	[ "$(pool failures)" -eq 1 ]
	web
	stint pool set web 2
	[ "$(pool error)" = null ]
}

@test "of a spare that does not start nothing is kept, so that others can be started" {
	web $'run: {command: [/bin/false]}\nlease: {keep_failed: 1h}'
	refused 1 "cannot be filled" pool set web 1
	nothing_left
	web "lease: {keep_failed: 1h}"
	stint pool set web 1
	is_full 1
	stint up web --name x
	# shellcheck disable=SC2046 # one or more
	kill -KILL $(stint_server "$(id_of x)")
	is_kept() { stint ls -a --json | jq -e '.[] | select(.name == "x" and .state == "kept")'; }
	eventually 10 is_kept
}

@test "a spare gives way to an instance that finds no room" {
	echo "host: {memory_limits: 300M}" >"$STINT_ROOT/etc/stint/stint.yaml"
	web 'limits: {memory: 100M}'
	stint pool set web 2
	stint up web --name a --memory 200M
	[ "$(spares | wc -l)" -eq 1 ]
	# and there is no room for another spare
	eventually 10 nobody_fills
	stint pool ls | grep "300 MiB"
	refused 5 "300 MiB" up web --name b --memory 200M
	[ "$(spares | wc -l)" -eq 0 ]
}

@test "one that nobody claims is replaced when it is too old" {
	local old

	stint pool set web 1 --max-age 2s
	old=$(spares)
	is_gone() { [ -z "$(spares)" ]; }
	eventually 10 is_gone
	stint sweep
	is_new() { is_full 1 && [ "$(spares)" != "$old" ]; }
	eventually 10 is_new
	stint history --json | jq -e '[.[] | select(.reason == "nobody claimed the spare in time")] | length >= 1'
}

@test "where spares are too old before all are ready, filling ends, and says so" {
	web 'ready: {command: [/bin/sh, -c, "sleep 1"], timeout: 30s}'
	refused 1 "raise --max-age" pool set web 3 --max-age 2s
	eventually 5 nobody_fills
	stint pool set web 1
}

@test "a claim that is interrupted is followed by another spare" {
	local i

	web 'ready: {command: [/bin/sh, -c, "sleep 0.2"], timeout: 30s}'
	stint pool set web 1
	for i in 1 2 3 4 5 6 7 8; do
		timeout -s INT "0.00$i" "$STINT" up web --name x 3>&- || stint down x || true
		eventually 10 is_full 1
	done
}

@test "a spare whose server or keeper dies is replaced" {
	local old

	stint pool set web 1
	is_new() { is_full 1 && [ "$(spares)" != "$old" ]; }
	old=$(spares)
	kill_process stint-keeper "spare.$old"
	stint sweep
	eventually 10 is_new
	old=$(spares)
	# shellcheck disable=SC2046 # one or more
	kill -KILL $(stint_server "$old")
	eventually 10 no_instances
	stint sweep
	eventually 10 is_new
	# a forwarder that dies is one anew, with all ports
	stint up web --name x
	kill_process stint-forwarder x
	eventually 5 get -o /dev/null "$(url_of x)"
}

stint_server()
{
	local hierarchy

	hierarchy=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	cat "$hierarchy/$GROUP/$1/server/cgroup.procs"
}

@test "a pool that is made smaller, or removed, ends its spares" {
	stint pool set web 3
	[ "$(spares | wc -l)" -eq 3 ]
	stint pool set web 1
	[ "$(spares | wc -l)" -eq 1 ]
	stint zone add other
	stint pool set web 1 --zone other
	refused 2 "give --zone" pool rm web
	stint pool rm web --zone other
	stint pool rm web
	[ -z "$(spares)" ]
	nothing_left
}

@test "who waits for a pool that another one sets waits for what it is then" {
	local waiting

	web 'ready: {command: [/bin/sh, -c, "sleep 1"], timeout: 30s}'
	"$STINT" pool set web 3 >"$STINT_ROOT/out" 2>&1 3>&- &
	waiting=$!
	is_set() { [ "$(pool size)" = 3 ]; }
	eventually 5 is_set
	stint pool set web 1
	is_over() { ! kill -0 "$waiting" 2>/dev/null; }
	eventually 10 is_over
	grep -q "1 of 1 ready" "$STINT_ROOT/out"
}

@test "killed at any of its system calls, a claim leaves a spare, an instance, or nothing" {
	local calls i killat=$STINT_BUILD/libexec/stint-tests/killat step=${STINT_KILL_STEP-9}

	stint pool set web 1
	calls=$("$killat" cli 0 -- "$STINT" up web --name x 2>&1 >/dev/null | sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	[ "$calls" -gt 100 ]
	stint down x
	is_settled() { [ "$(stint ls --json | jq -r '.[] | .state' | sort -u)" = spare ] && is_full 1; }
	for ((i = 1; i <= calls; i += step)); do
		stint sweep >/dev/null
		eventually 10 is_settled
		"$killat" cli "$i" -- "$STINT" up web --name x >/dev/null 2>&1 3>&- || true
		stint sweep >/dev/null
		gone_or_ready() { [ "$(stint ls --json | jq -r '.[] | select(.name == "x") | .state')" != stopping ]; }
		eventually 10 gone_or_ready
		if stint ls -q | grep -qx x; then
			[[ $(get "$(url_of x)") == *"hello from $(id_of x)"* ]]
			stint down x
		fi
	done
	stint sweep >/dev/null
	eventually 10 is_settled
	stint doctor --leaks
}
