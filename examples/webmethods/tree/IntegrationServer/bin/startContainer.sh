#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The start in a container: what an unclean stop left behind does not count.
bin=$(cd "$(dirname "$0")" && pwd)
rm -f "$bin/.lock"
exec "$bin/server.sh" "$@"
