/* SPDX-License-Identifier: Apache-2.0 */
/* Release functions for the cleanup attribute; used in every process. */
#include "base/cleanup.h"

#include <errno.h>

void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void cleanup_free_pointer(void *pointer)
{
	void **p = pointer;

	free(*p);
	*p = NULL;
}

void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
	*dir = NULL;
}
