/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows as files; see flow.h. A name comes from the network: it is checked for its letters, and
 * the file is opened below the packages directory without following a link.
 */
#include "flow.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LENGTH 64
/* Starts with a dot, so that no flow has this name. */
#define NEW_FILE ".new"

static bool is_flow_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_LENGTH || name[0] == '.')
		return false;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	}
	return true;
}

static void respond_errno(struct http_response *response, const char *what)
{
	int failure = errno;

	response->status = failure == ENOENT ? 404 : 500;
	http_printf(response, "%s: %s\n", what, strerror(failure));
	if (failure != ENOENT)
		fprintf(stderr, "hello: %s: %s\n", what, strerror(failure));
}

/* Opens packages/ for a flow of that name. Returns -1 with the response filled when it cannot. */
static int packages_open(int home, const char *name, struct http_response *response)
{
	int fd;

	if (!is_flow_name(name)) {
		response->status = 400;
		http_printf(response,
			    "a flow's name has 1 to %d letters, digits, '.', '_' or '-', "
			    "and no '.' in front\n",
			    NAME_MAX_LENGTH);
		return -1;
	}
	fd = openat(home, "packages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		respond_errno(response, "cannot open 'packages'");
	return fd;
}

void flow_run(int home, const char *name, struct http_response *response)
{
	int packages = packages_open(home, name, response), fd;
	char block[4096];
	ssize_t n;

	if (packages < 0)
		return;
	fd = openat(packages, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(packages);
	if (fd < 0) {
		respond_errno(response, "no such flow");
		return;
	}
	while ((n = read(fd, block, sizeof(block))) > 0)
		http_write(response, block, (size_t)n);
	if (n < 0)
		respond_errno(response, "cannot read the flow");
	close(fd);
}

void flow_list(int home, struct http_response *response)
{
	int packages = packages_open(home, "any", response);
	struct dirent **names;
	int n;

	if (packages < 0)
		return;
	n = scandirat(packages, ".", &names, NULL, alphasort);
	close(packages);
	if (n < 0) {
		respond_errno(response, "cannot list 'packages'");
		return;
	}
	for (int i = 0; i < n; i++) {
		if (is_flow_name(names[i]->d_name))
			http_printf(response, "%s\n", names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

/* The file appears under its name when it is complete. Returns 0, or -1 with errno. */
static int file_replace(int directory, const char *name, const char *data, size_t length)
{
	int fd = openat(directory, NEW_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0644);
	int result;

	if (fd < 0)
		return -1;
	result = write_all(fd, data, length);
	close(fd);
	return result < 0 ? -1 : renameat(directory, NEW_FILE, directory, name);
}

bool flow_deploy(int home, const char *name, const struct http_request *request,
		 struct http_response *response)
{
	int packages = packages_open(home, name, response);
	bool is_new, done;

	if (packages < 0)
		return false;
	is_new = faccessat(packages, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	done = file_replace(packages, name, request->body, request->body_length) == 0;
	if (done) {
		response->status = is_new ? 201 : 200;
		http_printf(response, "deployed %s\n", name);
	} else {
		respond_errno(response, "cannot deploy the flow");
	}
	close(packages);
	return done;
}

bool flow_remove(int home, const char *name, struct http_response *response)
{
	int packages = packages_open(home, name, response);
	bool done;

	if (packages < 0)
		return false;
	done = unlinkat(packages, name, 0) == 0;
	if (done)
		http_printf(response, "removed %s\n", name);
	else
		respond_errno(response, "cannot remove the flow");
	close(packages);
	return done;
}
