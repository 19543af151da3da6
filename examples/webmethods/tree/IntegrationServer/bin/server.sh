#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # for what is sourced
# Starts the runtime and stays in the foreground. There is no instance and no profile: its home is
# the parent of this directory.
bin=$(cd "$(dirname "$0")" && pwd)
instance=$(dirname "$bin")
home=$(dirname "$instance")
lock=$bin/.lock
# shellcheck source=../../common/server.sh
. "$home/common/server.sh"
# shellcheck source=setenv.sh
. "$bin/setenv.sh"

init=${JAVA_MIN_MEM%[mM]}
max=${JAVA_MAX_MEM%[mM]}
take_lock
make_places
look_for_licence "${SAG_IS_LICENSE_FILE:-$instance/config/licenseKey.xml}"
keep_server 5543 9999
