# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the tests of stint reset: a server with an install of its own, what makes it dirty, and how to
# tell that nothing of that is left.

set_up_reset()
{
	set_up
	I=$STINT_ROOT/install
	mkdir -p "$I/conf"
	echo old >"$I/conf/file"
	server
}

# shellcheck disable=SC2120 # the tests have arguments
# server [MORE-YAML]: template "web", the small server with an install of the test's own beside it.
server()
{
	local more='lease: {ttl: 10m, max: 2h}'

	[ $# -eq 0 ] || more=$1
	template web <<-END
		template: web
		install: ["$STINT_BUILD/share/stint/hello", "$I"]
		run:
		  command: [/bin/sh, -c, 'test ! -e $I/broken || { echo it is broken; exit 3; };
		    test ! -e $I/slow || sleep 1; exec $STINT_BUILD/share/stint/hello/bin/hello']
		  grace: 2s
		ports: {http: 5555}
		ready: {http: {port: http, path: /health/readiness, status: 200}, timeout: 5s}
		$more
	END
}

url_of()
{
	stint show "$1" --json | jq -r '.ports[0].url'
}

# What does not change, whatever is done inside.
constant_of()
{
	stint show "$1" --json | jq -cS '[.name, .id, .template, .owner, .created, .deadline, .address, .zone,
		(.ports | map([.name, .address, .port, .inside_port])), .installs, .plan,
		(.limits | map_values([.asked, .set, .enforced]))]'
}

dirty()
{
	stint exec "$1" -- sh -c "echo mine >'$I/conf/own'; rm -f '$I/conf/file'; chmod 700 '$I/conf'
		echo text >/tmp/file; mkdir -p /var/tmp/deep/er; echo text >/var/tmp/deep/er/file"
}

is_pristine()
{
	# the small server writes a log of its own
	[ -z "$(stint diff "$1" | grep "$I")" ] || return 1
	stint exec "$1" -- sh -c "[ ! -e /tmp/file ] && [ ! -e /var/tmp/deep ] && [ ! -e '$I/conf/own' ]" ||
		return 1
	[ "$(stint exec "$1" -- cat "$I/conf/file")" = old ]
}

# One that has ended is seen until the host's first process has noticed.
has_one_keeper()
{
	local pid n=0

	for pid in $(processes_of stint-keeper "$1"); do
		is_ended "$pid" || n=$((n + 1))
	done
	[ "$n" -eq 1 ]
}

pools()
{
	find "$STINT_ROOT/var/lib/stint/i" -name 'aside.*'
}

nothing_is_aside()
{
	[ -z "$(pools)" ]
}
