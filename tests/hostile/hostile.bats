#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every attempt of hostile-probe, from four places inside, with a user namespace and without: each
# fails closed, and the host is as it was. README.md says which flaw of others each stands for.
load hostile

# What a host may be without: IPv6, and addresses beside the loopback's.
MAY_BE_ABSENT="net-loopback6 net-host-address net-outside call-flow-label"

# What would have changed on the host, had an attempt not failed.
picture_of_host()
{
	sha256sum "$STINT" "$STINT_BUILD/libexec/stint/stint-keeper" "$STINT_ROOT/secret"
	find "$INSTALL" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort
	find "$INSTALL" -type f -exec sha256sum {} +
	sort /proc/self/mountinfo
	hostname
	ip -oneline address | sed 's/_lft [0-9]*sec//g'
	ip route
	! command -v nft >/dev/null || nft list ruleset 2>/dev/null || true
	(cd /proc/sys && grep -s '' kernel/core_pattern kernel/modprobe kernel/sysrq kernel/randomize_va_space \
		net/ipv4/ip_forward net/ipv4/conf/all/route_localnet fs/suid_dumpable vm/overcommit_memory) || true
	# an abstract socket could be connected to by whoever shares the network namespace
	grep -c '@.*stint' /proc/net/unix || true
	cat "/proc/$BAIT/comm" "/proc/$BAIT/oom_score_adj"
	awk '{ print $19 }' "/proc/$BAIT/stat"
}

# Attempts against flaws of old kernels only, which reach them and get nothing.
of_mended_kernels()
{
	"$HOSTILE" list | awk -F '\t' '$3 == "-" { print $1 }'
}

# assert_all_denied [NAME]: but for that one.
assert_all_denied()
{
	local report=$STINT_ROOT/report name

	grep -v '^[^ ]* denied ' "$report" || true
	[ "$(wc -l <"$report")" -eq "$(count_of_list)" ]
	[ "$(awk '$2 == "SUCCEEDED" { print $1 }' "$report")" = "${1-}" ]
	[ "$(awk '$2 == "reached" { print $1 }' "$report")" = "$(of_mended_kernels)" ]
	for name in $(awk '$2 == "absent" { print $1 }' "$report"); do
		[[ " $MAY_BE_ABSENT " == *" $name "* ]]
	done
	diff <(echo "$before") <(picture_of_host)
}

@test "there are attempts enough, and no two of one name" {
	[ "$(count_of_list)" -ge 120 ]
	[ -z "$("$HOSTILE" list | cut -f 1 | sort | uniq -d)" ]
	# each says where it comes from and what would have to be missing
	[ "$("$HOSTILE" list | grep -cP '^[a-z0-9-]+\t[0-9,]+\t(-|[a-z,]+)\t.')" -eq "$(count_of_list)" ]
}

@test "as the server's user" {
	before=$(picture_of_host)
	hostile h "$USER_INSIDE" run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied
}

@test "as the server's user, where that is root" {
	before=$(picture_of_host)
	hostile h root run all
	stint_of_systemd run h >"$STINT_ROOT/report"
	assert_all_denied
}

@test "in exec, as the server's user" {
	before=$(picture_of_host)
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied
}

@test "in exec, as root" {
	before=$(picture_of_host)
	hostile h "$USER_INSIDE" wait
	stint_of_systemd up h --name h
	stint exec h --user 0 -- "$ATTACK" run all >"$STINT_ROOT/report"
	assert_all_denied
}

# The install on a file system whose owners cannot be mapped: on_overlay COMMAND
on_overlay()
{
	mkdir -p "$STINT_ROOT/upper" "$STINT_ROOT/work"
	unshare --mount bash -ec "
		mount -t overlay test -o \
			lowerdir=$INSTALL,upperdir=$STINT_ROOT/upper,workdir=$STINT_ROOT/work $INSTALL
		$1"
}

# Where the host's root is root inside, capabilities, filter, mounts and Landlock stand alone.
@test "without a user namespace, as the server's root and as a command's" {
	before=$(picture_of_host)
	hostile h root run all
	on_overlay "'$HOSTILE' with-key '$STINT' run h --best-effort" >"$STINT_ROOT/report"
	assert_all_denied id-map
	hostile w "$USER_INSIDE" wait
	on_overlay "'$HOSTILE' with-key '$STINT' up w --name w --best-effort
		'$STINT' exec w --user 0 -- '$ATTACK' run all >'$STINT_ROOT/report'
		'$STINT' down w --now"
	assert_all_denied id-map
}

@test "what is on disk for an instance is closed to the users of the host" {
	local id path

	hostile h "$USER_INSIDE" wait
	stint up h --name h
	id=$(id_of h)
	chmod 0755 "$STINT_ROOT" "$STINT_ROOT"/{run,var,var/lib}
	for path in "run/stint/i/$id" run/stint/lock "var/lib/stint/i/$id"; do
		ls "$STINT_ROOT/$path" >/dev/null
		run ! setpriv --reuid "$USER_INSIDE" --regid "$USER_INSIDE" --clear-groups \
			ls "$STINT_ROOT/$path"
	done
}
