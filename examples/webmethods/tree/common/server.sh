# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the stand-ins of Integration Server and of Microservices Runtime have in common. Sourced with
# $instance: the directory that has config, logs and packages; $lock: the file that says that one
# runs; $init and $max: the heap, in MB.

say()
{
	echo "$(date +%T) $*"
	echo "$(date '+%F %T') $*" >>"$instance/logs/wrapper.log"
}

# Another that runs here would write the same files.
take_lock()
{
	if ! (set -C && echo $$ >"$lock") 2>/dev/null; then
		echo "the lock file $lock is there: another server runs, or one has died; not started" >&2
		exit 1
	fi
}

# The directories and files that a server makes when it runs.
make_places()
{
	for place in logs db DocumentStore WmRepository4 XAStore cacheStore config/backup packages \
		replicate datastore userFtpRoot support; do
		mkdir -p "$instance/$place"
	done
	for file in "$instance"/DocumentStore/ISResubmitStoredata0000001 \
		"$instance"/WmRepository4/FSDdata0000001; do
		[ -e "$file" ] || echo data >"$file"
	done
	[ -e "$instance/config/clusteruuid.dat" ] ||
		cat /proc/sys/kernel/random/uuid >"$instance/config/clusteruuid.dat"
}

# Without a licence a server stops after half an hour.
look_for_licence()
{
	limit=
	[ ! -s "$1" ] || return 0
	limit=${STANDIN_UNLICENSED_SECONDS:-1800}
	say "WARNING: there is no licence in $1: this server stops after $limit seconds"
}

start_server()
{
	say "java -Xms${init}m -Xmx${max}m, as process of $$"
	# shellcheck disable=SC2086 # none or two words
	"$instance/bin/server" ${limit:+--exit-after $limit} &
	server=$!
}

stop_server()
{
	trap '' TERM INT
	say "asked to stop"
	kill -TERM "$server" 2>/dev/null
	wait "$server"
	kill "$ports" 2>/dev/null
	rm -f "$lock"
	say "stopped"
	exit 0
}

# Keeps the server running until it is asked to stop, or the server has ended in order.
keep_server()
{
	"$instance/bin/listen" "$@" &
	ports=$!
	trap stop_server TERM INT
	start_server
	while :; do
		wait "$server"
		status=$?
		# a signal that is handled ends the wait, not the server
		kill -0 "$server" 2>/dev/null && continue
		[ "$status" != 0 ] || break
		say "the server died ($status) and is started again"
		sleep 0.2
		start_server
	done
	kill "$ports" 2>/dev/null
	rm -f "$lock"
	say "the server ended"
}

# Asks the process in the lock file to stop, and waits until it has.
stop_by_lock()
{
	[ -e "$lock" ] || {
		echo "no server runs here" >&2
		exit 1
	}
	kill -TERM "$(cat "$lock")" || {
		echo "the server that left $lock is dead" >&2
		exit 1
	}
	while [ -e "$lock" ]; do sleep 0.1; done
}
