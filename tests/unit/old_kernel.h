/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that know less than this one, by filters that answer in their place. For children. */
#ifndef UNIT_OLD_KERNEL_H
#define UNIT_OLD_KERNEL_H

/* fsconfig(2) takes no descriptors: EINVAL before Linux 6.13, EOPNOTSUPP before 6.5. */
void refuse_layers_by_fd(int errnum);

#endif
