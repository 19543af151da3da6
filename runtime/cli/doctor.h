/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of "stint doctor". */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/command.h"

/* Runs a command inside an instance and says which system calls it was denied; or its filter. */
int doctor_seccomp(const struct invocation *invocation);

/* Makes a new store in place of a damaged one. */
int doctor_rebuild(const struct invocation *invocation);

/* What is on the host and should not be; exits with 1 while something is. */
int doctor_leaks(const struct invocation *invocation);

#endif
