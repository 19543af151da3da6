# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the hostile suite shares, beside what every system test has: the install that holds the
# program of the attempts.
load ../system/helper

HOSTILE=$STINT_BUILD/libexec/stint-tests/hostile/bin/hostile-probe
USER_INSIDE=1234

setup()
{
	set_up
	set_up_hostile
}

set_up_hostile()
{
	INSTALL=$STINT_ROOT/install
	ATTACK=$INSTALL/bin/hostile-probe
	mkdir -p "$INSTALL/bin"
	cp "$HOSTILE" "$ATTACK"
	chown -R "$USER_INSIDE:$USER_INSIDE" "$INSTALL"
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
  grace: 1s
ready: none
lease: {ttl: 5m}
EOF
}

# stint below mounts that are shared, as systemd has them.
stint_of_systemd()
{
	timeout --foreground -s KILL 100 unshare --mount --propagation shared "$STINT" "$@"
}

# How many attempts there are.
count_of_list()
{
	"$HOSTILE" list | wc -l
}
