#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Ids of an instance's own: the user namespace, whose files are whose, and hosts that have none.

load helper

# idle NAME INSTALL [LINES]: a template whose server only waits.
idle()
{
	cat >"$STINT_ROOT/etc/stint/templates/$1.yaml" <<EOF
install: $2
run: {command: [/bin/sleep, 1000], grace: 1s}
lease: {ttl: 5m}
${3-}
EOF
}

base_of()
{
	stint show "$1" --json | jq .id_base
}

# The ids of the processes that stand in the instance's control group of the server, on the host.
host_ids_of()
{
	local group pid

	group=$GROUP/$(id_of "$1")/server
	for pid in $(cat "$CONTROLLERS/pids/$group/cgroup.procs" \
		"$CONTROLLERS/$group/cgroup.procs" 2>/dev/null); do
		awk '/^[UG]id:/ { print $2 }' "/proc/$pid/status"
	done | sort -u
}

@test "root inside is nobody on the host, and no two instances share an id" {
	mkdir -p "$STINT_ROOT/srv"
	idle one "$STINT_ROOT/srv"
	stint up one --name a
	stint up one --name b
	[ "$(base_of a)" -gt 65535 ]
	[ $(($(base_of b) - $(base_of a))) -ge 65536 ] || [ $(($(base_of a) - $(base_of b))) -ge 65536 ]
	[ "$(host_ids_of a)" = "$(base_of a)" ]
	[ "$(stint exec a -- id -u)" = 0 ]
	[ "$(stint exec a -- awk '{ print $1, $2 }' /proc/self/uid_map | head -n 1)" = "0 $(base_of a)" ]
	# the other namespaces are not its own: its root has no power over them
	run stint exec a -- hostname other
	[ "$status" -ne 0 ]
	stint show a | grep "user ids *$(base_of a) to $(($(base_of a) + 65535)) on the host"
}

@test "what is written inside belongs on disk to who wrote it, and the install is as it was" {
	mkdir -p "$STINT_ROOT/srv"
	echo old >"$STINT_ROOT/srv/file"
	chown -R 1234:2345 "$STINT_ROOT/srv"
	before=$(find "$STINT_ROOT/srv" -printf '%p %U:%G %m %T@ %C@\n')
	idle one "$STINT_ROOT/srv"
	stint up one --name a
	[ "$(stint exec a -- id -u)" = 1234 ]
	[ "$(stint exec a -- stat -c %u:%g "$STINT_ROOT/srv/file")" = 1234:2345 ]
	stint exec a -- sh -c "echo new >$STINT_ROOT/srv/file; mkdir $STINT_ROOT/srv/dir"
	[ "$(stint exec a -- cat "$STINT_ROOT/srv/file")" = new ]
	[ "$(stat -c %u:%g "$STINT_ROOT"/var/lib/stint/i/*/layer/0/upper/{file,dir})" = $'1234:2345\n1234:2345' ]
	[ "$(find "$STINT_ROOT/srv" -printf '%p %U:%G %m %T@ %C@\n')" = "$before" ]
	# and files that come from outside, too
	echo in >"$STINT_ROOT/in"
	stint cp "$STINT_ROOT/in" "a:$STINT_ROOT/srv/in"
	stint cp "$STINT_ROOT/in" a:/tmp/in
	[ "$(stint exec a -- stat -c %u:%g "$STINT_ROOT/srv/in")" = 1234:2345 ]
	[ "$(stint exec a -- stat -c %u:%g /tmp/in)" = 0:0 ]
}

@test "an owner above 65535 keeps his number inside" {
	mkdir -p "$STINT_ROOT/srv"
	echo mine >"$STINT_ROOT/srv/file"
	chown -R 300001:300002 "$STINT_ROOT/srv"
	chmod 0600 "$STINT_ROOT/srv/file"
	idle one "$STINT_ROOT/srv"
	stint up one --name a
	[ "$(stint exec a -- id -u)" = 300001 ]
	stint exec a -- sh -c "echo more >>$STINT_ROOT/srv/file"
	[ "$(stat -c %u "$STINT_ROOT"/var/lib/stint/i/*/layer/0/upper/file)" = 300001 ]
	# on the host it is one of the instance's own
	id=$(host_ids_of a | head -n 1)
	[ "$id" -gt "$(base_of a)" ]
	[ "$id" -lt $(($(base_of a) + 65536)) ]
}

@test "exec runs as a user by name or number, with that user's group and no other" {
	stint up hello --name a
	[ "$(stint exec --user nobody a -- id -u -n)" = nobody ]
	[ "$(stint exec --user 4711 a -- sh -c 'id -u; id -g; id -G')" = $'4711\n4711\n4711' ]
	[ "$(stint exec --user root a -- sh -c 'id -u; echo it >/dev/stdout')" = $'0\nit' ]
	run ! stint exec --user no-such-user a -- true
}

# A file system whose owners cannot be mapped, in a mount namespace of the test's own.
on_overlay()
{
	mkdir -p "$STINT_ROOT"/{lower,upper,work,srv}
	unshare -m bash -ec "
		mount -t overlay test -o lowerdir=$STINT_ROOT/lower,upperdir=$STINT_ROOT/upper,workdir=$STINT_ROOT/work $STINT_ROOT/srv
		touch $STINT_ROOT/srv/file
		stint() { '$STINT' \"\$@\"; }
		$1"
}

@test "where owners cannot be mapped, a start is refused with the reason, unless it is allowed" {
	idle one "$STINT_ROOT/srv"
	run on_overlay 'stint up one --name a'
	[ "$status" -eq 1 ]
	[[ $output == *"owners of '$STINT_ROOT/srv'"*"overlay"*"--best-effort"* ]]
	run on_overlay 'stint up one --name a --best-effort
		stint show a
		stint show a --json >"$STINT_ROOT/json"
		stint exec a -- sh -c "cat /proc/self/uid_map; touch $STINT_ROOT/srv/new; grep -E \"Cap|Secc|NoNew\" /proc/self/status; wc -c </proc/kpagecount"'
	echo "$output"
	[[ $output == *"stint: no user namespace: owners cannot be mapped"* ]]
	[[ $output == *"user ids"*"not enforced"* ]]
	[ "$(jq .id_base "$STINT_ROOT/json")" = null ]
	# then the other protections stand alone, and they stand
	[[ $output == *"4294967295"* ]]
	[ "$(grep -c 'Cap.*:.0000000000000000' <<<"$output")" -eq 5 ]
	[[ $output == *Seccomp:?2* ]]
	[[ $output == *NoNewPrivs:?1* ]]
	[ "${lines[-1]}" = 0 ] || [[ ${lines[-1]} == *denied* ]] || [[ ${lines[-1]} == *"cannot open"* ]]
}

@test "capabilities for the host's own ids are refused" {
	idle one "$STINT_ROOT/srv" 'caps: [chown]'
	run on_overlay 'stint up one --name a --best-effort'
	[ "$status" -eq 5 ]
	[[ $output == *"'caps: chown' needs a user namespace"* ]]
}

@test "ids that somebody of this host has are not given out" {
	cat >"$STINT_ROOT/etc/stint/stint.yaml" <<-EOF
		ids: {first: 131072, count: 2}
	EOF
	stint up hello --name a
	[ "$(base_of a)" = 131072 ]
	stint up hello --name b
	[ "$(base_of b)" = 196608 ]
	refused 5 "ranges of user ids" up hello --name c
	stint down a
	stint up hello --name c
	[ "$(base_of c)" = 131072 ]
}
