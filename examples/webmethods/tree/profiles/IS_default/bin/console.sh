#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC3045 # for what is sourced; every sh has ulimit -n
# Starts the server and stays in the foreground as its parent, as the Java Service Wrapper does.
# Whatever follows, "-log both" for instance, is taken and means nothing here.
bin=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$bin/../../.." && pwd)
name=$(basename "$(dirname "$bin")")
instance=$home/IntegrationServer/instances/${name#IS_}
lock=$instance/LOCKFILE
# shellcheck source=../../../common/server.sh
. "$home/common/server.sh"

# The last line of a key counts, and the custom file comes last.
setting()
{
	cat "$bin/../configuration/wrapper.conf" "$bin/../configuration/custom_wrapper.conf" |
		sed -n "s/^$1=\([0-9]*\).*/\1/p" | tail -n 1
}

[ "$(id -u)" != 0 ] || echo "WARNING: this server should not run as root" >&2
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 1024 ] || {
	echo "1024 open files are needed, $(ulimit -n) are allowed" >&2
	exit 1
}
init=$(setting wrapper.java.initmemory)
max=$(setting wrapper.java.maxmemory)
take_lock
make_places
look_for_licence "$instance/config/licenseKey.xml"
keep_server 5543 9999 8075
