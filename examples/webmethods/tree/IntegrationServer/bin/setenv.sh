# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# The environment wins over what is said here.
JAVA_MIN_MEM=${JAVA_MIN_MEM:-256M}
JAVA_MAX_MEM=${JAVA_MAX_MEM:-1024M}
