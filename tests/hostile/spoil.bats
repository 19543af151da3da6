#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A server that turns against those who serve it: its lease holds all the same, nobody waits for it,
# and it pays for what it has them do.
load hostile

# Commands whose requests fill what lies between keeper and init, were nobody to read them.
press()
{
	local big

	big=$(head -c 100000 /dev/zero | tr '\0' x)
	for _ in {1..12}; do
		timeout -s KILL 25 "$STINT" exec h -e "BIG=$big" -- "$ATTACK" list \
			>/dev/null 2>>"$STINT_ROOT/err" 3>&- &
		PIDS+=" $!"
	done
}

# One that is stopped a moment too late is executed, and stopped all the same.
one_was_stopped()
{
	grep -qs 'did not get to its start within 5 s' "$STINT_ROOT/err"
}

@test "who stops every process before it is executed holds up no command, and not its end" {
	hostile h "$USER_INSIDE" stop
	stint up h --name h --ttl 20s
	press
	eventually 8 one_was_stopped || press
	eventually 8 one_was_stopped
	press
	timeout 3 "$STINT" touch h
	timeout 3 "$STINT" cp "h:$INSTALL/canary" "$STINT_ROOT/out"
	timeout 3 "$STINT" extend h +1s
	eventually 20 no_instances
	# shellcheck disable=SC2086 # words
	wait $PIDS || true
	[[ $(reason_of h) == expired* ]]
}

# Ticks of the forwarder of h, and bytes that it has written to the log.
spent()
{
	local stat

	stat=$(cat "/proc/$(processes_of stint-forwarder h)/stat")
	read -r -a stat <<<"${stat##*) }"
	echo $((stat[11] + stat[12]))
}

written()
{
	stat -c %s "$STINT_ROOT/var/lib/stint/i/$(id_of h)/log"
}

# It is outside of the limits of its instance, and reading costs more than tee(2).
@test "a flood of output costs the forwarder a share of a processor, and the disk a rate" {
	local length ticks bytes

	for length in 1 80 4000; do
		hostile h "$USER_INSIDE" flood "$length"
		stint up h --name h
		# what may come at once
		sleep 2
		ticks=$(spent)
		bytes=$(written)
		sleep 4
		ticks=$(($(spent) - ticks))
		bytes=$(($(written) - bytes))
		echo "lines of $length: $ticks of $((4 * $(getconf CLK_TCK))) ticks, $bytes bytes"
		[ "$ticks" -le $((2 * $(getconf CLK_TCK))) ]
		[ "$bytes" -le $((4 * 32 << 20)) ]
		# at the full pace all the same
		[ "$bytes" -ge $((8 << 20)) ]
		timeout 20 "$STINT" logs h --lines 1 | grep -q '^x*$'
		stint down h --now
	done
}
