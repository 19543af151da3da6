/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what nftables tells of the way of one packet: each rule of any program's table that it
 * met with a verdict, and each chain that it left by its policy. A packet is told of when a rule
 * has said so (nft(8), "meta nftrace"). Private to this folder. In commands.
 */
#ifndef NETNS_TRACE_H
#define NETNS_TRACE_H

#include "base/error.h"

#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_event {
	uint32_t id; /* of the packet; the same in all of its events */
	int nfproto; /* of the table: NFPROTO_IPV4, NFPROTO_INET... */
	char table[NFT_TABLE_MAXNAMELEN], chain[NFT_CHAIN_MAXNAMELEN];
	bool by_policy;	  /* the chain's, else a rule's */
	uint32_t verdict; /* NF_DROP, NF_ACCEPT...; NFT_JUMP and the like are large numbers */
	uint64_t rule;	  /* handle, when it was a rule */
	/* of the first event of a packet only */
	uint8_t header[40]; /* IPv4 or IPv6 */
	size_t header_length;
	uint16_t source_port; /* 0: none given */
};

/* A socket that hears of all packets in this network namespace; a descriptor. */
int trace_open(struct error *err);

/*
 * Reads what has come, without waiting, and calls hear for each event. False when events were
 * lost: what the others say may not be the whole.
 */
bool trace_take(int fd, void (*hear)(void *who, const struct trace_event *event), void *who);

#endif
