#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What instances use: one table, as JSON, and on a terminal that is as before afterwards.
load helper

setup()
{
	set_up
	template idle <<-END
		template: idle
		install: $PROBE
		run: {command: [/bin/sleep, 600], grace: 0s}
		lease: {ttl: 5m}
	END
	template busy <<-END
		template: busy
		install: $PROBE
		run: {command: [/bin/sh, -c, 'while :; do :; done'], grace: 0s}
		lease: {ttl: 9m}
	END
}

# on_terminal ROWS COLUMNS COMMAND: what a terminal of that size gets, its input being ours
on_terminal()
{
	timeout -s KILL 30 script -qec "stty rows $1 cols $2; $3" /dev/null | tr -d '\r'
}

# The last picture that was drawn.
last_picture()
{
	sed 's/\x1b\[H/\x01/g' | tr '\001' '\014' | awk 'BEGIN { RS = "\014" } /NAME/ { last = $0 }
		END { sub(/\033\[\?25h.*/, "", last); print last }' |
		sed 's/\x1b\[[?0-9;]*[a-zA-Z]//g'
}

names()
{
	stint top "$@" --json | jq -r '[.instances[].name] | join(" ")'
}

@test "a table of what runs, within 80 columns, without a terminal" {
	stint up idle --name a-name-that-is-as-long-as-it-may-be-in-a-sandbox-of-this-kind --memory 64M
	stint up busy --name busy
	run stint top
	[[ ${lines[0]} == NAME*STATE*CPU%*MEMORY*CONN*BYTES/S*LEFT ]]
	[ "${#lines[@]}" -eq 3 ]
	for line in "${lines[@]}"; do
		[ "${#line}" -le 80 ]
	done
	[[ $output == */64M* ]]
	[[ $output != *$'\033'* ]]
	stint down --all
	[ "$(stint top --json | jq -c .instances)" = "[]" ]
}

@test "the busiest is first, and what is measured is right" {
	stint up idle --name quiet --memory 100M
	stint up busy --name burner --cpus 0.5
	[ "$(names)" = "burner quiet" ]
	[ "$(names --sort name)" = "burner quiet" ]
	[ "$(names --sort left)" = "quiet burner" ]
	stint top --json --every 2s | jq -e '
		(.interval_seconds > 1.9) and
		(.instances[0].cpu_percent | . > 20 and . < 75) and (.instances[1].cpu_percent < 5) and
		.instances[0].memory_limit_bytes == null and
		.instances[1].memory_limit_bytes == 104857600 and
		(.instances | all(.memory_bytes > 0 and .left_seconds > 200 and .state == "ready"))'
}

@test "connections and bytes are counted" {
	local port

	stint up hello --name web
	stint up idle --name quiet
	port=$(port_of web)
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	(for ((i = 0; i < 60; i++)); do get "http://127.0.0.1:$port/health/readiness"; sleep 0.05; done) \
		>/dev/null 2>&1 3>&- &
	stint top --json --every 1s --sort bytes | jq -e '.instances[0] |
		.name == "web" and .connections >= 1 and .bytes_per_second > 500'
	[ "$(names --sort connections)" = "web quiet" ]
	exec 9>&-
	wait
}

@test "wrong options are refused with what is right" {
	refused 2 "did you mean 'memory'?" top --sort memry
	refused 2 "at least 100ms" top --every 10ms
	refused 2 "usage: stint top" top x
}

@test "on a terminal it fits the height, follows keys, and q ends it" {
	local picture

	for name in a b c d; do
		stint up idle --name "$name" --no-wait
	done
	{ sleep 1; printf n; sleep 1; printf q; } |
		on_terminal 5 60 "$STINT top; echo \"rc \$?\"; stty -a" >"$STINT_ROOT/out"
	grep -q "rc 0" "$STINT_ROOT/out"
	grep -q " icanon" "$STINT_ROOT/out"
	grep -q " echo " "$STINT_ROOT/out"
	picture=$(last_picture <"$STINT_ROOT/out")
	echo "$picture"
	[ "$(wc -l <<<"$picture")" -eq 5 ]
	[ "$(wc -L <<<"$picture")" -le 60 ]
	[[ $picture == *"4 instances"*"[n name]"*NAME*$'\n'"a "*$'\n'"b "* ]]
}

@test "a signal ends it, and the terminal is as before" {
	local signal

	stint up idle --name a
	for signal in INT TERM HUP; do
		on_terminal 24 80 "timeout --foreground --preserve-status -s $signal 1 $STINT top; echo \"rc \$?\"
			stty -a" < <(exec sleep 10 3>&-) >"$STINT_ROOT/out"
		grep -q $'\033\[?25h\033\[?1049l' "$STINT_ROOT/out"
		grep -q "rc $((128 + $(kill -l "$signal")))" "$STINT_ROOT/out"
		grep -q " icanon" "$STINT_ROOT/out"
	done
}

@test "stopped, it gives the terminal back, and takes it again when it goes on" {
	local pid

	stint up idle --name a
	timeout -s KILL 30 script -qefc "bash -mc '$STINT top; echo stopped; fg; echo \"rc \$?\"'" \
		"$STINT_ROOT/out" < <(sleep 20) >/dev/null 3>&- &
	eventually 10 grep -qs "1 instance" "$STINT_ROOT/out"
	pid=$(processes_left | while read -r pid; do
		[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" != "$STINT top " ] || echo "$pid"
	done)
	kill -TSTP "$pid"
	eventually 10 grep -q stopped "$STINT_ROOT/out"
	eventually 10 grep -qz "stopped.*1049h" "$STINT_ROOT/out"
	kill -TERM "$pid"
	eventually 10 grep -q "rc 143" "$STINT_ROOT/out"
	grep -qz '1049l.*stopped.*1049h.*1049l.*rc' "$STINT_ROOT/out"
	wait $! || true
}
