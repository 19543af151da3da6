#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # for what is sourced
# Stops the server and returns when it has stopped.
bin=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$bin/../../.." && pwd)
name=$(basename "$(dirname "$bin")")
instance=$home/IntegrationServer/instances/${name#IS_}
lock=$instance/LOCKFILE
# shellcheck source=../../../common/server.sh
. "$home/common/server.sh"
stop_by_lock
