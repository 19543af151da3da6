# SPDX-License-Identifier: Apache-2.0
# Takes out of a report of the payload what this host or this start decides, line by line and by
# what it was compared with, so that the rest can be held against tests/golden/world-*. What is not
# as expected stays as it is, and is seen. First it reads the report of the payload on the host,
# where nothing of stint is around it, then the one from inside.
#
# Variables: install (the payload's directory), id, address and base (the instance's, from show).

BEGIN {
	FS = OFS = "="
	# root without CAP_SYS_RESOURCE cannot raise hard limits: those of the host stand there when
	# they are lower than these, which are meant
	none = "unlimited:unlimited"
	limit["as"] = limit["cpu"] = limit["data"] = limit["fsize"] = limit["locks"] = none
	limit["nproc"] = limit["rss"] = limit["rttime"] = none
	limit["core"] = "1:1"
	limit["memlock"] = "8388608:8388608"
	limit["msgqueue"] = "819200:819200"
	limit["nofile"] = "65536:524288"
	limit["sigpending"] = "32768:32768"
	limit["stack"] = "8388608:unlimited"
	# what kernels and file systems add by themselves, without a meaning for what is shielded
	noise = "^((no|rel|strict|lazy)atime|nodiratime|inode(32|64)|uuid=.*|xino=.*|index=off" \
		"|metacopy=off|nfs_export=off|memory_recursiveprot|nsdelegate|favordynmods)$"
	# devices of tunnels that some kernels put into every network namespace, and leave down
	split("tunl0 gre0 gretap0 erspan0 sit0 ip6tnl0 ip6gre0 ip_vti0 ip6_vti0", names, " ")
	for (i in names)
		fallback["interface." names[i]] = 1
}

# "1310720000" and numbers of the instance's own behind it become "BASE+n".
function of_base(word, n)
{
	n = word - base
	if (word !~ /^[0-9]+$/ || n < 0 || n > 65535)
		return word
	return n ? "BASE+" n : "BASE"
}

# Options without the noise, the instance's own ids counted from their first.
function options(text, n, list, i, out, part)
{
	n = split(text, list, ",")
	for (i = 1; i <= n; i++) {
		if (list[i] ~ noise)
			continue
		split(list[i], part, "=")
		if (part[1] == "uid" || part[1] == "gid")
			list[i] = part[1] "=" of_base(part[2])
		else if (part[1] ~ /^(lowerdir\+?|upperdir|workdir)$/)
			list[i] = substr(part[1], 1, 8) "=LAYER"
		else if (list[i] == "fsync=volatile")
			list[i] = "volatile"
		out = out (out == "" ? "" : ",") list[i]
	}
	return out
}

# mount.POINT=TYPE SOURCE FLAGS OPTIONS PROPAGATION
function mount(key, value, point, word)
{
	point = substr(key, length("mount.") + 1)
	split(value, word, " ")
	if (point == "/usr" || point ~ "^/etc/") {
		# the host's own: its file system is what it is
		word[1] = "HOST"
		word[2] = word[4] = "-"
	}
	# which of these there are is up to the kernel; all that are there must be alike
	if (point ~ "^/proc/" && point != "/proc/sys") {
		masked[point] = 1
		point = "/proc/" (word[3] ~ /(^|,)nodev(,|$)/ ? "EMPTY-DIRECTORY" : "NULL-DEVICE")
	}
	else if (point ~ "^/etc/")
		point = "/etc/PART"
	else if (point ~ "^/sys/fs/cgroup") {
		point = "/sys/fs/cgroup/GROUPS"
		word[1] = word[2] = "cgroup"
		word[4] = "-"
	} else if (word[1] == "sysfs")
		point = "/sys/PART"
	else if (point == install)
		point = "INSTALL"
	return "mount." point "=" word[1] " " word[2] " " options(word[3]) " " options(word[4]) \
		" " word[5] (word[6] ? " " word[6] : "")
}

# Both numbers of a limit are the host's hard one, or what they are meant to be below it.
function limited(name, value, part, most, hard)
{
	if (!(name in limit))
		return value
	split(host["rlimit." name], part, ":")
	most = part[2]
	split(limit[name], part, ":")
	hard = least(part[2], most)
	return value == least(part[1], hard) ":" hard ? limit[name] : value
}

function least(a, b)
{
	if (a == "unlimited")
		return b
	return b == "unlimited" || a + 0 < b + 0 ? a : b
}

# 6.15 and what follows is 615
function version(release, part)
{
	split(release, part, ".")
	return part[1] * 100 + part[2]
}

NR == FNR {
	host[$1] = substr($0, length($1) + 2)
	next
}

{
	value = substr($0, length($1) + 2)
}

$1 ~ /^ns\./ { print $1, (value == host[$1] ? "of the host" : "its own"); next }
# before Linux 6.15 a layer has to be attached to be given to an overlay: where that covers it
$1 == "mount." install && version(host["kernel"]) < 615 &&
	value ~ /^[^ ]+ [^ ]+ ro,([^ ]*,)?idmapped / { next }
$1 ~ /^mount\./ { print mount($1, value); next }
$1 ~ /^[ug]id_map$/ {
	split(value, word, " ")
	print $1, word[1] " " of_base(word[2]) " " word[3]
	next
}
$1 ~ /^rlimit\./ { print $1, limited(substr($1, 8), value); next }
$1 ~ /^cgroup\./ { sub(/.*=/, "", value); print "cgroup.ANY", value; next }
$1 ~ /^fd\./ && value ~ /^(pipe|socket):\[[0-9]+\]$/ { sub(/:.*/, "", value) }
$1 ~ /^fd\./ { print $1, value; next }
$1 == "exe" && index(value, install "/") == 1 {
	print $1, "INSTALL" substr(value, length(install) + 1)
	next
}
$1 == "hostname" && value == id { print $1, "ID"; next }
$1 == "address.lo" && value == address { print $1, "ADDRESS"; next }
$1 == "address.lo" && value == address6 { print $1, "ADDRESS6"; next }
# how many were made before is chance; that it leads its session and group is not
$1 == "pid" { pid = value; print $1, (value > 1 ? "N" : value); next }
$1 ~ /^(pgid|sid|nspid)$/ { print $1, (value == pid ? "N" : value); next }
# the level in the class "none" has no meaning, and is another one before Linux 6.0
$1 == "ioprio" { print $1, (value >= 0 && value < 8192 ? "none" : value); next }
$1 == "seccomp.filters" { print $1, value - host[$1]; next }
$1 ~ /^(kernel|processors)$/ { print $1, (value == host[$1] ? "of the host" : value); next }
$1 in fallback && value == "down" { next }
{ print }

END {
	n = split("acpi asound scsi config.gz interrupts kallsyms keys latency_stats sched_debug",
		names, " ")
	for (i = 1; i <= n; i++)
		if (!("/proc/" names[i] in masked) && system("test -e /proc/" names[i]) == 0)
			print "mount./proc/" names[i] "=not there"
	if (system("test -e /proc/net/if_inet6") != 0)
		print "address.lo=::1\naddress.lo=ADDRESS6"
}
