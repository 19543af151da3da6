/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silent_fs DIRECTORY: a file system (fuse(4)) that shows its top directory and answers nothing
 * else, ever: who asks for a file in it sleeps in the kernel and cannot be killed. It is gone, and
 * all who sleep wake up, when this program ends.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int answer(int fd, uint64_t unique, const void *data, size_t size)
{
	char bytes[512];
	struct fuse_out_header head = {.len = (uint32_t)(sizeof(head) + size), .unique = unique};

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), data, size);
	return write(fd, bytes, sizeof(head) + size) < 0 ? -1 : 0;
}

static int serve(int fd)
{
	static char request[FUSE_MIN_READ_BUFFER + (1 << 20)];
	const struct fuse_in_header *head = (const struct fuse_in_header *)request;
	const struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
					   .minor = FUSE_KERNEL_MINOR_VERSION,
					   .max_write = 4096};
	const struct fuse_attr_out attributes = {
		.attr_valid = 3600,
		.attr = {.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2},
	};

	while (read(fd, request, sizeof(request)) > 0) {
		int r = 0;

		if (head->opcode == FUSE_INIT)
			r = answer(fd, head->unique, &init, sizeof(init));
		else if (head->opcode == FUSE_GETATTR)
			r = answer(fd, head->unique, &attributes, sizeof(attributes));
		if (r < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (argc != 2 || fd < 0)
		return 2;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other",
		 fd);
	if (mount("silent", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		perror("mount");
		return 2;
	}
	puts("mounted");
	fflush(stdout);
	return serve(fd);
}
