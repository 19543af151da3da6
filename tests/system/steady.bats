#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an instance has been through leaves nothing in the processes that look after it: not a
# descriptor, not a thread, no memory that grows.
load helper

REACH=$STINT_BUILD/libexec/stint-tests/reach
CONNECTIONS=10000
EXTENDS=1000
# what ten bytes for each connection would be; in pages, what is taken once and kept is less
GROWTH_KB=96
if [ -n "${STINT_SANITIZED-}" ] || [ "$SLOW" != 1 ]; then
	# freed memory is kept aside there for a while
	CONNECTIONS=500 EXTENDS=50 GROWTH_KB=100000
fi

# figures PID: descriptors, threads, and kilobytes of its own memory
figures()
{
	local pid=$1

	echo "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" "$(awk '
		/^Threads:/ { threads = $2 } /^RssAnon:/ { kb = $2 }
		END { print threads, kb }' "/proc/$pid/status")"
}

# Of keeper and forwarder, three each.
figures_of_all()
{
	echo "$(figures "$keeper") $(figures "$forwarder")"
}

# use CONNECTIONS EXTENDS
use()
{
	local i

	"$REACH" knock 127.0.0.1 "$port" "$1"
	for ((i = 0; i < $2; i++)); do
		"$STINT" extend s +1s >/dev/null
	done
}

# no_more BEFORE: the same descriptors and threads, and no more memory than that.
no_more()
{
	local now

	now=$(figures_of_all)
	paste -d ' ' <(tr ' ' '\n' <<<"$1") <(tr ' ' '\n' <<<"$now") |
		awk -v most="$GROWTH_KB" '
			NR % 3 ? $1 != $2 : $2 > $1 + most { bad = 1 }
			{ print }
			END { exit bad }' >"$STINT_ROOT/figures"
}

@test "no descriptor, thread or memory grows over ten thousand connections and a thousand extends" {
	local keeper forwarder port before first

	stint up hello --name s --ttl 20m
	keeper=$(processes_of stint-keeper s)
	forwarder=$(processes_of stint-forwarder s)
	[ -d "/proc/$keeper" ] && [ -d "/proc/$forwarder" ]
	port=$(port_of s)
	first=$(stint show s --json | jq .left_seconds)
	# what is made with the first use, and kept
	use $((CONNECTIONS / 10)) $((EXTENDS / 10))
	before=$(figures_of_all)
	use "$CONNECTIONS" "$EXTENDS"
	eventually 5 no_more "$before" || {
		echo "descriptors, threads, kilobytes of keeper and forwarder, before and after:"
		cat "$STINT_ROOT/figures"
		return 1
	}
	# all of it has happened
	stint show s --json | jq -e ".left_seconds > $first + $EXTENDS"
	stint show s --json | jq -e ".ports[0].connections_total >= $CONNECTIONS"
}
