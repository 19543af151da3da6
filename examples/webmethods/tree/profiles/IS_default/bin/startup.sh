#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the server in the background.
setsid "$(dirname "$0")/console.sh" "$@" >/dev/null 2>&1 </dev/null &
