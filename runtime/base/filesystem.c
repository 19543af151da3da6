/* SPDX-License-Identifier: Apache-2.0 */
/* The names of file systems; see filesystem.h. */
#include "base/filesystem.h"
#include "base/cleanup.h"

const char *file_system_name(const struct statfs *fs, char buffer[FILE_SYSTEM_NAME_SIZE])
{
	static const struct {
		unsigned long magic;
		const char *name;
	} names[] = {
		{0xef53, "ext4"},      {0x58465342, "XFS"},	{0x9123683e, "Btrfs"},
		{0x01021994, "tmpfs"}, {0x794c7630, "overlay"}, {0x6969, "NFS"},
		{0x2fc12fc1, "ZFS"},   {0xf2f52010, "F2FS"},	{0x65735546, "FUSE"},
		{0xff534d42, "CIFS"},  {0x858458f6, "ramfs"},	{0xca451a4e, "bcachefs"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((unsigned long)fs->f_type == names[i].magic)
			return names[i].name;
	snprintf(buffer, FILE_SYSTEM_NAME_SIZE, "file system 0x%lx", (unsigned long)fs->f_type);
	return buffer;
}
