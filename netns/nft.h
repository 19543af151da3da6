/* SPDX-License-Identifier: Apache-2.0 */
/* libnftables, loaded when it is needed, and what needs no library. Private to this folder. */
#ifndef NETNS_NFT_H
#define NETNS_NFT_H

#include "base/error.h"

#include <stdint.h>

/*
 * Runs commands as nft(8) does, in one transaction. ret_output, when it is not NULL, gets what they
 * print, without counters and handles; the caller frees. -ENOENT without the library.
 */
int nft_run(const char *commands, char **ret_output, struct error *err);

/*
 * The number of the kernel's rule set, which every change by anybody in this network namespace
 * makes another. Two messages of netlink.
 */
int nft_generation(uint32_t *ret_generation, struct error *err);

#endif
