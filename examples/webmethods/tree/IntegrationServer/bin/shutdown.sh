#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # for what is sourced
# Stops the runtime and returns when it has stopped.
bin=$(cd "$(dirname "$0")" && pwd)
lock=$bin/.lock
# shellcheck source=../../common/server.sh
. "$bin/../../common/server.sh"
stop_by_lock
