# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the hostile suite shares, beside what every system test has: the install that holds the
# program of the attempts, and on the host what they reach for.
load ../system/helper

HOSTILE=$STINT_BUILD/libexec/stint-tests/hostile/bin/hostile-probe
USER_INSIDE=1234
export HOSTILE_ROUNDS=${HOSTILE_ROUNDS:-2000}

setup()
{
	set_up
	set_up_hostile
}

teardown()
{
	[ -z "${BAIT-}" ] || {
		kill "$BAIT" 2>/dev/null
		wait "$BAIT" || true
	}
	clean_up
}

set_up_hostile()
{
	INSTALL=$STINT_ROOT/install
	ATTACK=$INSTALL/bin/hostile-probe
	export HOSTILE_SECRET=of-the-caller
	mkdir -p "$INSTALL/bin"
	cp "$HOSTILE" "$ATTACK"
	printf 'as it was' >"$INSTALL/canary"
	chown -R "$USER_INSIDE:$USER_INSIDE" "$INSTALL"
	install -m 4755 "$HOSTILE" "$INSTALL/bin/setuid"
	install -m 2755 "$HOSTILE" "$INSTALL/bin/setgid"
	start_bait
}

# What the attempts look for on the host, and how they may find it: the file "host" of the install.
start_bait()
{
	echo secret >"$STINT_ROOT/secret"
	cp "$HOSTILE" "$STINT_ROOT/hostile-bait"
	"$STINT_ROOT/hostile-bait" bait >"$INSTALL/host" 3>&- &
	BAIT=$!
	eventually 5 grep -q '^complete=' "$INSTALL/host"
	echo "secret=$STINT_ROOT/secret" >>"$INSTALL/host"
}

# hostile NAME USER ARGUMENT...: a template whose server is the program with these arguments.
hostile()
{
	local name=$1 user=$2 words

	shift 2
	words=$(printf ', "%s"' "$@")
	template "$name" <<EOF
install: $INSTALL
run:
  command: ["$ATTACK"$words]
  user: $user
  env: {HOSTILE_ROUNDS: "$HOSTILE_ROUNDS"}
  grace: 1s
ready: none
lease: {ttl: 5m}
EOF
}

# stint as on a host with systemd, where mounts are shared, by somebody who has keys.
stint_of_systemd()
{
	timeout --foreground -s KILL 100 unshare --mount --propagation shared \
		"$HOSTILE" with-key "$STINT" "$@"
}

# How many attempts there are.
count_of_list()
{
	"$HOSTILE" list | wc -l
}
