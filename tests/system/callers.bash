# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# People who call stint through sudo, without touching the accounts of this host: /etc, /var/lib and
# /run are the test's own, in a mount namespace that everything here enters. alice and bob are
# members of the group stint (supplementary, primary), carol is an administrator, dave is nobody.

set_up_people()
{
	set_up
	PEOPLE=$STINT_ROOT/people
	unset STINT_ROOT
	mkdir -p "$PEOPLE"/{etc,work,lib,run,home}
	chmod 755 "${PEOPLE%/*}" "$PEOPLE" # alice's own programs look at what is below
	# shellcheck disable=SC2016 # it is the inner shell's to expand
	unshare -m --propagation private bash -c '
		mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" overlay /etc &&
		mount --bind "$1/lib" /var/lib && mount --bind "$1/run" /run &&
		: >"$1/ready" && exec sleep 600' - "$PEOPLE" >/dev/null 2>&1 3>&- &
	HOLDER=$!
	eventually 10 test -e "$PEOPLE/ready"
	add_people
	add_rules
	inside mkdir -p /etc/stint/templates
	echo "cgroup: $GROUP" | config
}

# What is written is root's, as an administrator would have it.
config()
{
	inside tee /etc/stint/stint.yaml >/dev/null
}

inside()
{
	timeout --foreground -s KILL 100 nsenter -t "$HOLDER" -m -- "$@"
}

add_people()
{
	inside sed -i '/^stint:/d' /etc/group
	inside tee -a /etc/group >/dev/null <<-EOF
		stint:x:61000:alice
		alice:x:61001:
		carol:x:61003:
		dave:x:61004:
	EOF
	inside tee -a /etc/passwd >/dev/null <<-EOF
		alice:x:61001:61001::$PEOPLE/home:/bin/bash
		bob:x:61002:61000::/:/bin/bash
		carol:x:61003:61003::/:/bin/bash
		dave:x:61004:61004::/:/bin/bash
	EOF
	inside tee -a /etc/shadow >/dev/null <<-EOF
		alice:*:20000:0:99999:7:::
		bob:*:20000:0:99999:7:::
		carol:*:20000:0:99999:7:::
		dave:*:20000:0:99999:7:::
	EOF
	chown 61001:61001 "$PEOPLE/home"
}

# The shipped rule, for the program of the build tree.
add_rules()
{
	local source=$BATS_TEST_DIRNAME/../../scripts/sudoers.d

	sed "s|^\(Cmnd_Alias STINT = \).*|\1$STINT|; s|env_file=.*|env_file=$source/restricted.env|" \
		"$STINT_BUILD/sudoers.d/stint" >"$PEOPLE/rules"
	inside install -m 0440 "$PEOPLE/rules" /etc/sudoers.d/stint
	echo "carol ALL=(root) NOPASSWD: ALL" >"$PEOPLE/rules"
	inside install -m 0440 "$PEOPLE/rules" /etc/sudoers.d/carol
}

# person NAME COMMAND...: as that person, outside of sudo.
person()
{
	local name=$1

	shift
	inside setpriv --reuid "$name" --regid "$name" --init-groups env -i PATH="$PATH" \
		HOME=/ TERM=dumb "$@"
}

# as NAME ARGUMENT...: stint, as that person gives it.
as()
{
	local name=$1

	shift
	if [ "$name" = bob ]; then
		inside setpriv --reuid bob --regid stint --init-groups env -i PATH="$PATH" \
			sudo -n "$STINT" "$@"
	else
		person "$name" sudo -n "$STINT" "$@"
	fi
}

root()
{
	inside "$STINT" "$@"
}

# denied NAME STATUS TEXT ARGUMENT...: stint refuses, with these words.
# shellcheck disable=SC2154 # status and output come from run
denied()
{
	local name=$1 wanted=$2 text=$3

	shift 3
	run as "$name" "$@"
	echo "stint $*: status $status: $output"
	[ "$status" -eq "$wanted" ]
	[[ $output == *"$text"* ]]
}

clean_up_people()
{
	local failed=0

	inside "$STINT" down --all --now >/dev/null 2>&1 || true
	inside "$STINT" sweep >/dev/null 2>&1 || true
	find "$PEOPLE/lib/stint/i" "$PEOPLE/run/stint/i" -mindepth 1 2>/dev/null | grep . && failed=1
	kill "$HOLDER" 2>/dev/null || true
	wait "$HOLDER" 2>/dev/null || true
	STINT_ROOT=${PEOPLE%/people}
	export STINT_ROOT
	clean_up || failed=1
	return "$failed"
}
