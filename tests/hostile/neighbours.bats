#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two instances: what one offers openly to everybody, the other does not find. That it is there, and
# could be found, its own commands show.
load hostile

ATTEMPTS="socket-abstract socket-names net-loopback net-loopback6 net-host-address ipc-memory
	ipc-queue process-see process-open process-signal process-trace process-memory process-root
	process-priority secret-file secret-environment"

# The bait is in an instance, and its server; the file that says where it is goes to both.
start_bait()
{
	cp "$HOSTILE" "$INSTALL/bin/hostile-bait"
	hostile bait "$USER_INSIDE" bait
	sed -i 's|bin/hostile-probe"|bin/hostile-bait"|; s/ready: none/ready: {log: complete=}/' \
		"$STINT_ROOT/etc/stint/templates/bait.yaml"
	hostile other "$USER_INSIDE" wait
	"$STINT" up bait --name bait -e HOSTILE_SECRET=of-the-server
	"$STINT" up other --name other
	stint exec bait -- sh -c 'echo secret >/tmp/secret-of-bait; chmod 0666 /tmp/secret-of-bait'
	stint logs bait | grep '=' | grep -v ^pid >"$STINT_ROOT/host"
	echo secret=/tmp/secret-of-bait >>"$STINT_ROOT/host"
}

# tell NAME PID: where the bait is, with the number that its process has there.
tell()
{
	(cat "$STINT_ROOT/host" && echo "pid=$2") >"$STINT_ROOT/told"
	stint cp "$STINT_ROOT/told" "$1:$INSTALL/host"
}

@test "what an instance offers, it can use itself" {
	tell bait 2
	# shellcheck disable=SC2086 # words
	stint exec bait -- "$ATTACK" run $ATTEMPTS >"$STINT_ROOT/report"
	cat "$STINT_ROOT/report"
	for name in socket-abstract socket-names net-loopback net-host-address ipc-memory ipc-queue \
		process-see process-open process-signal process-memory process-root secret-file \
		secret-environment; do
		grep "^$name SUCCEEDED" "$STINT_ROOT/report"
	done
}

@test "another instance finds none of it, as user and as root, by its number there or on the host" {
	local pid user

	for pid in 2 "$(processes_of hostile-bait bait)"; do
		tell other "$pid"
		for user in "$USER_INSIDE" 0; do
			# shellcheck disable=SC2086 # words
			stint exec other --user "$user" -- "$ATTACK" run $ATTEMPTS >"$STINT_ROOT/report"
			echo "process $pid, user $user"
			grep -v ' denied ' "$STINT_ROOT/report" || true
			if [ "$pid" = 2 ]; then
				# its own second process is another one
				run ! grep -v '^process' <(grep -v ' denied \| absent ' "$STINT_ROOT/report")
				grep '^process-see denied' "$STINT_ROOT/report"
			else
				run ! grep -v ' denied \| absent ' "$STINT_ROOT/report"
			fi
			[ "$(wc -l <"$STINT_ROOT/report")" = "$(wc -w <<<"$ATTEMPTS")" ]
		done
	done
}

@test "their ids are never the same, and a file of one is nobody's in the other" {
	local base_bait base_other

	base_bait=$(stint show bait --json | jq .id_base)
	base_other=$(stint show other --json | jq .id_base)
	[ "$base_bait" -gt 65535 ]
	[ $((base_bait - base_other)) -ge 65536 ] || [ $((base_other - base_bait)) -ge 65536 ]
	stint exec other -- sh -c 'touch /tmp/file; ln -s /tmp/secret-of-bait /tmp/link'
	run ! stint exec other -- cat /tmp/link
	run ! stint cp other:/tmp/link/ "$STINT_ROOT/out"
	stint exec bait -- test -e /tmp/secret-of-bait
	run ! stint exec bait -- test -e /tmp/file
}
