#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# stint events: what happens to instances, seen afterwards and while it happens.
load helper

# kinds [NAME]: the events in a line
kinds()
{
	stint events "$@" --json | jq -r .event | tr '\n' ' '
}

# detail KIND [NAME]: of the last event of that kind
detail()
{
	stint events "${@:2}" --json | jq -r "select(.event == \"$1\").detail" | tail -n 1
}

@test "each step of a life is an event, in order, with its time and what is to say of it" {
	local id

	[ -z "$(stint events)" ]
	stint up hello --name a
	id=$(id_of a)
	stint extend a +1h
	stint down a
	[ "$(kinds)" = "created starting ready extended stopping ended " ]
	[ "$(stint events --json | jq -r '[.name, .id] | join(" ")' | sort -u)" = "a $id" ]
	stint events --json | jq -es 'map(.time) | . == sort and (.[0] | length) == 24'
	[ "$(detail created)" = hello ]
	[[ $(detail ready) =~ ^[0-9.]+m?s$ ]]
	[[ $(detail extended) == 20*T*Z ]]
	[ "$(detail stopping)" = "stopped by root" ]
	[ "$(detail ended)" = "stopped by root" ]
	run stint events
	[ "${#lines[@]}" -eq 6 ]
	[[ ${lines[2]} =~ ^[0-9:]{8}\ \ a\ +ready\ +[0-9.]+m?s$ ]]
	[ "$(wc -L <<<"$output")" -le 80 ]
}

@test "NAME, an id and -n choose among them" {
	local id

	stint up hello --name a --no-wait
	stint up hello --name b --no-wait
	id=$(id_of a)
	stint down a --now
	stint down b --now
	stint up hello --name a --no-wait
	[ "$(stint events a --json | jq -r .name | sort -u)" = a ]
	[ "$(stint events a --json | jq -r .id | sort -u | wc -l)" -eq 2 ]
	[ "$(stint events "$id" --json | jq -r .id | sort -u)" = "$id" ]
	[ "$(stint events "$id" -n 1 --json | jq -r .event)" = ended ]
	[ "$(stint events -n 2 | wc -l)" -eq 2 ]
	[ "$(stint events -n 0 | wc -l)" -eq 0 ]
	[ -z "$(stint events nobody)" ]
	refused 2 "no number" events -n x
}

@test "a server that is started again, one that fails, and a start that fails" {
	payload p "[$PROBE/bin/probe, exit, '3']" 'ready: none'
	sed -i 's/^run:/run:\n  restart: on-failure/' "$STINT_ROOT/etc/stint/templates/p.yaml"
	run stint run p --name r
	[[ $(kinds r) == "created starting "*"restarted "*"ended " ]]
	[ "$(detail restarted r)" = "server exited with status 3" ]
	[ "$(kinds r | tr ' ' '\n' | grep -c restarted)" -eq \
		"$(stint history r --json | jq '.[0].restarts')" ]
	payload q "[$PROBE/bin/none]" 'ready: none'
	run stint up q --name q
	[ "$(kinds q)" = "created ended " ]
	[[ $(detail ended q) == "failed to start: "* ]]
}

@test "a lost keeper, what has no record, and zones" {
	stint up hello --name k
	kill_process stint-keeper k
	no_instances
	[[ $(kinds k) == *"ready ended " ]]
	[ "$(detail ended k)" = "keeper lost" ]
	mkdir -p "$STINT_ROOT/var/lib/stint/i/abcdef01"
	stint sweep
	[ "$(stint events abcdef01 --json | jq -r '.event + ": " + .detail')" = "swept: it had no record" ]
	stint zone add z
	stint zone set z --peers allow
	stint zone rm z
	[ "$(stint events -n 3 --json | jq -r .event | tr '\n' ' ')" = "zone-added zone-changed zone-removed " ]
	[[ $(detail zone-changed) == "z: "*"peers allow"* ]]
	[ "$(stint events -n 1 --json | jq -c '[.id, .name]')" = "[null,null]" ]
}

@test "followed, each event comes when it happens, a line each, and the end is the reader's" {
	local pid cpu

	stint up hello --name old --no-wait
	"$STINT" events -f --json >"$STINT_ROOT/out" 3>&- &
	pid=$!
	has() { grep -q "\"event\":\"$1\",\"name\":\"$2\"" "$STINT_ROOT/out"; }
	eventually 3 has created old
	stint up hello --name new
	eventually 1 has ready new
	stint down new
	eventually 1 has ended new
	jq -es 'length >= 5' "$STINT_ROOT/out"
	# waiting costs nothing
	cpu=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	sleep 1
	[ $(($(awk '{ print $14 + $15 }' "/proc/$pid/stat") - cpu)) -le 1 ]
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
	# Ctrl-C, and a reader that has gone
	run timeout -s INT 1 "$STINT" events -f
	[ "$status" -eq 124 ]
	[[ $output == *" new "*ended* ]]
	timeout 10 "$STINT" events -f | head -n 1
}

@test "the oldest go when there are many, and names are still known" {
	local i

	stint up hello --name long
	for ((i = 0; i < 80; i++)); do
		"$STINT" zone set default --tier poc
	done
	# what the first of them said is gone from the file
	fallocate --punch-hole --offset 0 --length 4096 "$STINT_ROOT/run/stint/events" ||
		skip "no holes here"
	run ! grep -q created <(stint events)
	stint extend long +1h
	[ "$(stint events long --json | jq -r .event)" = extended ]
	stint down long
	[ "$(kinds long)" = "extended stopping ended " ]
}

@test "warnings, freezing and its end are told" {
	template f <<-END
		template: f
		install: $PROBE
		run: {command: [$PROBE/bin/probe, sleep, '300'], grace: 0s}
		ready: none
		lease: {ttl: 2s, on_expiry: freeze, frozen: 1h, warn: {before: [1s]}}
	END
	stint up f --name f
	frozen() { [ "$(state_of f)" = frozen ]; }
	eventually 5 frozen
	stint extend f +1h
	stint down f
	[ "$(kinds f)" = "created starting ready warned frozen thawed extended ended " ]
	[ "$(detail warned f)" = "1 s left" ]
	[ "$(detail frozen f)" = expired ]
}
