#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Waiting for room: in order, past who is killed, and never for what does not help.
load helper

setup()
{
	set_up
	template p <<-END
		template: p
		install: $PROBE
		run: {command: [/bin/sleep, 600], grace: 0s}
		lease: {ttl: 5m}
	END
	echo "host: {memory_limits: 300M}" >"$STINT_ROOT/etc/stint/stint.yaml"
	QUEUE=$STINT_ROOT/run/stint/queue
}

waiting()
{
	[ "$(find "$QUEUE" -type f 2>/dev/null | wc -l)" -eq "$1" ]
}

# in_line NUMBER NAME OPTION...: "run" that writes its name down once it is served, behind all others
in_line()
{
	local number=$1 name=$2

	shift 2
	"$STINT" run p --queue "$@" -- sh -c "echo $name >>$STINT_ROOT/order" \
		>"$STINT_ROOT/out.$name" 2>&1 3>&- &
	PIDS[number]=$!
	eventually 10 waiting "$number"
}

order()
{
	xargs <"$STINT_ROOT/order"
}

@test "it waits until there is room, and its time begins then" {
	stint up p --name a --memory 300M
	"$STINT" up p --name b --memory 200M --ttl 60s --queue >"$STINT_ROOT/out" 2>&1 3>&- &
	eventually 10 grep -q "waiting for room" "$STINT_ROOT/out"
	grep -q "they are at 300 MiB, and this one wants 200 MiB" "$STINT_ROOT/out"
	sleep 1.2
	[ "$(stint ls -q)" = a ]
	stint down a
	wait $!
	[ "$(stint ls -q)" = b ]
	stint show b --json | jq -e '.left_seconds > 58'
	waiting 0
}

@test "without a need to wait it does not, and a refusal says that it could" {
	stint up p --name a --memory 300M --queue
	refused 5 "--queue waits for room" up p --memory 1M
	waiting 0
}

@test "five are served in order of arrival" {
	stint up p --name a --memory 300M
	for n in 1 2 3 4 5; do
		in_line "$n" "q$n" --memory 300M
	done
	stint down a
	for n in 1 2 3 4 5; do
		wait "${PIDS[n]}"
	done
	[ "$(order)" = "q1 q2 q3 q4 q5" ]
	no_instances
	waiting 0
}

@test "a small one does not overtake a big one" {
	stint up p --name a --memory 200M
	in_line 1 big --memory 300M
	in_line 2 small --memory 50M
	sleep 1.5
	[ ! -e "$STINT_ROOT/order" ]
	stint down a
	wait "${PIDS[1]}" "${PIDS[2]}"
	[ "$(order)" = "big small" ]
}

@test "who is killed in the middle, or in front, blocks nobody" {
	stint up p --name a --memory 300M
	for n in 1 2 3 4 5; do
		in_line "$n" "q$n" --memory 300M
	done
	kill -KILL "${PIDS[3]}" "${PIDS[1]}"
	stint down a
	wait "${PIDS[2]}"
	wait "${PIDS[4]}"
	wait "${PIDS[5]}"
	[ "$(order)" = "q2 q4 q5" ]
	no_instances
	waiting 0
}

@test "an interrupted one leaves, says so, and nothing is there" {
	stint up p --name a --memory 300M
	in_line 1 q1 --memory 300M
	"$STINT" up p --queue --memory 300M >"$STINT_ROOT/out" 2>&1 3>&- &
	eventually 10 waiting 2
	kill -TERM $!
	wait $! || status=$?
	[ "$status" -eq 143 ]
	grep -q "interrupted while it waited" "$STINT_ROOT/out"
	kill -INT "${PIDS[1]}"
	wait "${PIDS[1]}" || status=$?
	[ "$status" -eq 130 ]
	waiting 0
	[ "$(stint ls -q)" = a ]
}

@test "what no end of an instance would help fails at once, also behind others" {
	stint up p --name a --memory 300M
	in_line 1 q1 --memory 300M
	refused 4 "the name 'a' is taken" up p --name a --queue --memory 300M
	refused 3 "no template 'nope'" up nope --queue
	refused 2 "no such time" up p --queue-for soon
	kill -TERM "${PIDS[1]}"
	eventually 10 waiting 0
	refused 5 "this one alone wants 301 MiB" up p --queue --memory 301M
	waiting 0
}

@test "with a bound it gives up" {
	stint up p --name a --memory 300M
	refused 5 "there was no room within 1s: the memory limits" up p --queue-for 1s --memory 1M
	waiting 0
}

@test "an instance whose keeper was killed makes room" {
	stint up p --name a --memory 300M
	in_line 1 q1 --memory 300M
	kill_process stint-keeper a
	wait "${PIDS[1]}"
	[ "$(order)" = q1 ]
}

@test "20 at once against room for 3: all run in the end, three at a time" {
	local n

	for ((n = 0; n < 20; n++)); do
		"$STINT" run p --queue --memory 100M -- sh -c "
			$STINT ls -q | wc -l >>$STINT_ROOT/order" >"$STINT_ROOT/out.$n" 2>&1 3>&- &
		PIDS[n]=$!
	done
	for ((n = 0; n < 20; n++)); do
		wait "${PIDS[n]}"
	done
	[ "$(wc -l <"$STINT_ROOT/order")" -eq 20 ]
	[ "$(sort -n "$STINT_ROOT/order" | tail -n 1)" -le 3 ]
	no_instances
	waiting 0
}
