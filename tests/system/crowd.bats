#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A hundred instances, started at once and alive together: they share nothing, and any two of them
# can do nothing to one another, not even with the ids that they have on the host. STINT_CROWD is
# another number of them, for machines and builds that are slow.
load helper

CROWD=${STINT_CROWD:-100}
third=$((CROWD / 3))

# Each keeps a secret in a file, and waits at a port.
member()
{
	payload member "[$PROBE/bin/probe, write, /tmp/secret, secret, tcp-listen, 5555]" \
		"ports: {http: 5555}"
}

# Runs "stint COMMAND... PREFIX1", and so on up to COUNT, all at the same time: at_once PREFIX COUNT
# COMMAND...
at_once()
{
	local log pids=() pid i failed=0

	log=$(mktemp "$STINT_ROOT/log.XXXXXX")
	for ((i = 1; i <= $2; i++)); do
		"$STINT" "${@:3}" "$1$i" >>"$log" 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	[ "$failed" = 0 ] || cat "$log"
	return "$failed"
}

# "ID UID..." and "ID GID...": each process that is inside, with the instance whose groups it is in.
host_ids()
{
	grep -l "/$GROUP/" /proc/[0-9]*/cgroup 2>/dev/null | while IFS=/ read -r _ _ pid _; do
		awk -v group="/$GROUP/" 'FNR == NR {
				at = index($0, group)
				if (at)
					id = substr($0, at + length(group), 8)
				next
			}
			/^Name:\tstint-(keeper|forwarder)$/ { exit }
			/^[UG]id:/ { print id, $2, $3, $4, $5 }' \
			"/proc/$pid/cgroup" "/proc/$pid/status" 2>/dev/null || true
	done
}

# What must differ among all that live, and whether every process is where it belongs.
check_all()
{
	stint ls --json >"$STINT_ROOT/all"
	[ "$(jq -r '.[].state' "$STINT_ROOT/all" | sort | uniq -c | xargs)" = "$CROWD ready" ]
	jq -r '.[].id_base' "$STINT_ROOT/all" | sort -n >"$STINT_ROOT/bases"
	awk 'NR > 1 && $1 - before < 65536 { print "ranges overlap:", before, $1; bad = 1 }
		{ before = $1 } $1 < 65536 { bad = 1 } END { exit bad || NR != '"$CROWD"' }' "$STINT_ROOT/bases"
	[ "$(jq -r '.[].address' "$STINT_ROOT/all" | sort -u | wc -l)" = "$CROWD" ]
	[ "$(jq -r '.[].ports[0].port' "$STINT_ROOT/all" | sort -u | wc -l)" = "$CROWD" ]
	host_ids >"$STINT_ROOT/ids"
	jq -r '.[] | "\(.id) \(.id_base)"' "$STINT_ROOT/all" |
		awk 'NR == FNR { base[$1] = $2; next }
			{
				processes[$1]++
				for (i = 2; i <= NF; i++)
					if (!($1 in base) || $i < base[$1] || $i > base[$1] + 65535) {
						print "id", $i, "in", $1, "whose are from", base[$1]
						bad = 1
					}
			}
			END {
				for (id in base)
					if (processes[id] < 4) {
						print "no server and no init in", id
						bad = 1
					}
				exit bad
			}' - "$STINT_ROOT/ids"
}

# Takes a third of them down and starts others at the same time: replace PREFIX PREFIX-OF-NEW
replace()
{
	local down

	at_once "$1" "$third" down --now &
	down=$!
	at_once "$2" "$third" up member --name
	wait "$down"
	check_all
}

# as BASE COMMAND...: with an instance's first id, but in the host's namespaces.
as()
{
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

base_of()
{
	jq ".[] | select(.name == \"$1\") | .id_base" "$STINT_ROOT/all"
}

# What one can see of the other, signal, connect to or read: must_not_reach NAME OTHER
must_not_reach()
{
	local other pid port

	other=$(stint show "$2" --json)
	port=$(jq -r '.ports[0].port' <<<"$other")
	pid=$(processes_of probe "$2")
	# init, the server, and who looks
	[ "$(stint exec "$1" -- "$PROBE/bin/probe" ps | awk '{ print $4 }' | xargs)" = \
		"stint-init probe probe" ]
	run ! stint exec --user 0 "$1" -- "$PROBE/bin/probe" ls "/proc/$pid"
	run ! stint exec --user 0 "$1" -- sh -c "kill -0 $pid"
	run ! stint exec "$1" -- "$PROBE/bin/probe" connect "$(jq -r .address <<<"$other")" 5555
	run ! stint exec "$1" -- "$PROBE/bin/probe" connect 127.0.0.1 "$port"
	run ! stint exec --user 0 "$1" -- "$PROBE/bin/probe" ls "$STINT_ROOT"
	stint exec --user 0 "$1" -- "$PROBE/bin/probe" write /tmp/secret "changed by $1"
	[ "$(stint exec --user 0 "$2" -- "$PROBE/bin/probe" read /tmp/secret)" = secret ]
	stint exec --user 0 "$1" -- "$PROBE/bin/probe" write /tmp/secret secret
}

# The same with its ids and the host's view, as if it had got out: must_not_escape_to NAME OTHER
must_not_escape_to()
{
	local base pid mine

	base=$(base_of "$1")
	mine=$(processes_of probe "$1")
	pid=$(processes_of probe "$2")
	as "$base" kill -0 "$mine"
	run ! as "$base" kill -0 "$pid"
	run ! as "$base" cat "/proc/$pid/environ"
	run ! as "$base" ls "/proc/$pid/root/tmp"
	run ! as "$base" ls "$STINT_ROOT/var/lib/stint/i/$(id_of "$2")"
	run ! as "$base" ls "$STINT_ROOT/run/stint/i/$(id_of "$2")"
}

@test "a hundred instances started at once share no id, address or port, and cannot reach one another" {
	local pair one other

	member
	echo "ids: {first: 1310720000, count: $((CROWD + third))}" >"$STINT_ROOT/etc/stint/stint.yaml"
	at_once m "$CROWD" up member --name
	check_all
	for pair in "m1 m2" "m$CROWD m1" "m$third m$((third + 1))"; do
		read -r one other <<<"$pair"
		must_not_reach "$one" "$other"
		must_not_escape_to "$one" "$other"
	done
	# in the second round what became free is given out again, while others go
	replace m n
	replace n o
	must_not_reach m$CROWD o1
	must_not_escape_to o1 m$CROWD
	stint down --all
	nothing_left
}
