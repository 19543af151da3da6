/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that know less than this one, by filters that answer in their place. For children. */
#ifndef UNIT_OLD_KERNEL_H
#define UNIT_OLD_KERNEL_H

#include <stdbool.h>

/* fsconfig(2) takes no descriptors: EINVAL before Linux 6.13, EOPNOTSUPP before 6.5. */
void refuse_layers_by_fd(int errnum);

/* openat2(2) and every call of mounts by descriptor answer with errnum. */
void refuse_new_calls(int errnum);

/* The same for the one call. */
void refuse_call(int number, int errnum);

/*
 * The same as the environment's UNIT_REFUSE says, ENOSYS or EPERM: whole test programs run so.
 * Returns whether it says anything.
 */
bool refuse_as_asked(void);

#endif
