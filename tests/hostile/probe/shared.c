/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reaches the host through what it shares with an instance: inodes of /usr, of which root
 * inside is the owner as far as the kernel can tell, and pools that the machine has once; see
 * hostile.h. All of it is given back at once.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHARED_FILE "/usr/bin/factor" /* which nobody is likely to run meanwhile */

/* One for reading waits for nobody; one for writing would let every open(2) wait. */
static struct verdict lease(void)
{
	int fd = open(SHARED_FILE, O_RDONLY | O_CLOEXEC);
	struct verdict verdict = by_result(fd < 0 ? fd : fcntl(fd, F_SETLEASE, F_RDLCK));

	if (verdict.kind == VERDICT_SUCCEEDED)
		fcntl(fd, F_SETLEASE, F_UNLCK);
	return verdict;
}

/* The hint that it has. */
static struct verdict hint(void)
{
	int fd = open(SHARED_FILE, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0 || fcntl(fd, F_GET_RW_HINT, &value) < 0)
		return denied();
	return by_result(fcntl(fd, F_SET_RW_HINT, &value));
}

static struct verdict notify(void)
{
	int fd = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return by_result(fd < 0 ? fd : fcntl(fd, F_NOTIFY, DN_CREATE));
}

/* Who does not own the file is told that all of it is there. */
static struct verdict drop_cache(void)
{
	int fd = open(SHARED_FILE, O_RDONLY | O_CLOEXEC);
	unsigned char there = 1;
	char byte;
	void *page;

	if (fd < 0 || pread(fd, &byte, 1, 0) != 1)
		return denied();
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		return denied();
	page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || mincore(page, 1, &there) < 0)
		return denied();
	errno = EEXIST;
	return there & 1 ? denied() : succeeded("%s is not in memory", SHARED_FILE);
}

static struct verdict flow_label(void)
{
	struct in6_flowlabel_req request = {
		.flr_dst.s6_addr[15] = 1,
		.flr_action = IPV6_FL_A_GET,
		.flr_share = IPV6_FL_S_EXCL,
		.flr_flags = IPV6_FL_F_CREATE,
	};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return absent("no IPv6");
	return by_call(setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &request, sizeof(request)));
}

static const struct probe list[] = {
	{"call-lease", "69", "a lease on a file of the host", FILTER, lease, {0}},
	{"call-rw-hint", "69", "a hint to a file of the host", FILTER, hint, {0}},
	{"call-notify", "69", "signals of what is done in the host's /usr", FILTER, notify, {0}},
	{"call-fadvise", "69", "a file of the host out of its cache", FILTER, drop_cache, {0}},
	{"call-flow-label", "69", "the machine's flow labels", FILTER, flow_label, {0}},
};
const struct family family_shared = {list, ARRAY_SIZE(list)};
