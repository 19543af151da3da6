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
