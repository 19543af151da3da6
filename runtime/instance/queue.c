/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for room in order; see queue.h. In the commands that wait. */
#include "instance/queue.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "keeper/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define DIRECTORY "queue"
#define LOCK "queue.lock" /* a ticket is made, and a dead one removed, with this held */
#define NUMBER_FORMAT "%010" PRIu32
#define LIVE 0 /* the byte that a ticket's owner has locked */

/* What stands in a ticket. */
static const char marks[] = {[ROOM_NEVER] = '?', [ROOM_OF_OWNER] = 'o', [ROOM_OF_HOST] = 'h'};

struct waiting {
	uint32_t number;
	uid_t owner;
	bool for_own; /* nothing but an end of his own instances helps */
};

struct line {
	struct waiting *list; /* in order of arrival */
	size_t n;
	uint32_t last; /* number, 0: none */
	char **dead;   /* names of tickets without an owner */
};

static void line_deinit(struct line *line)
{
	free(line->list);
	strv_free(line->dead);
}

#define cleanup_line cleanup(line_deinit)

static int by_number(const void *a, const void *b)
{
	const struct waiting *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

/* One that has just been made says nothing yet: it is taken for anybody's. */
static struct waiting read_ticket(int fd, uint32_t number)
{
	struct waiting waiting = {.number = number, .owner = (uid_t)-1};
	char text[32] = "", mark = '?';

	if (pread(fd, text, sizeof(text) - 1, 0) > 0 &&
	    sscanf(text, "%" SCNu32 " %c", &waiting.owner, &mark) == 2)
		waiting.for_own = mark == marks[ROOM_OF_OWNER];
	return waiting;
}

static void add_ticket(struct line *line, int directory, const char *name)
{
	cleanup_fd int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t number;

	if (fd < 0 || parse_number(name, UINT32_MAX - 1, &number) < 0)
		return;
	if (!lock_is_held(fd, LIVE)) {
		strv_add(&line->dead, name);
		return;
	}
	line->list = xrealloc(line->list, line->n + 1, sizeof(*line->list));
	line->list[line->n++] = read_ticket(fd, (uint32_t)number);
	if (number > line->last)
		line->last = (uint32_t)number;
}

/* Without this process's own ticket, whose lock is not held by somebody else. */
static int read_line(int directory, const char *own, struct line *ret_line)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (!own || strcmp(entry->d_name, own) != 0))
			add_ticket(ret_line, directory, entry->d_name);
	if (ret_line->n)
		qsort(ret_line->list, ret_line->n, sizeof(*ret_line->list), by_number);
	return 0;
}

static int open_lock(const struct site *site)
{
	return openat(site->run, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* With the lock held: what is not locked now was made by somebody who is gone. */
static void remove_dead(int directory, const struct line *line)
{
	for (size_t i = 0; line->dead && line->dead[i]; i++)
		unlinkat(directory, line->dead[i], 0);
}

static int write_ticket(const struct ticket *ticket)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%010" PRIu32 " %c\n", (uint32_t)ticket->owner,
			      marks[ticket->room]);

	return pwrite(ticket->fd, text, (size_t)length, 0) == length ? 0 : -EIO;
}

/*
 * The lock of the queue is held. A command that is killed closes its ticket, of which the watch on
 * the directory tells: so the file is created there under its name.
 */
static int make_ticket(struct ticket *ticket)
{
	cleanup_line struct line line = {0};
	char name[16];
	int r = read_line(ticket->directory, NULL, &line);

	if (r < 0)
		return r;
	remove_dead(ticket->directory, &line);
	snprintf(name, sizeof(name), NUMBER_FORMAT, line.last + 1);
	ticket->fd = openat(ticket->directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ticket->fd < 0)
		return -errno;
	ticket->number = line.last + 1;
	r = lock_try(ticket->fd, LIVE);
	return r < 0 ? r : write_ticket(ticket);
}

/* Without it the line is looked at from time to time all the same. */
static int watch_line(int directory)
{
	cleanup_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", directory);

	if (watch < 0 || inotify_add_watch(watch, path, IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE) < 0)
		return -1;
	return steal_fd(&watch);
}

int queue_enter(const struct site *site, uid_t owner, struct ticket *ret_ticket, struct error *err)
{
	cleanup_fd int lock = open_lock(site);
	int r;

	*ret_ticket = (struct ticket){.directory = -1, .fd = -1, .watch = -1, .owner = owner};
	if (lock < 0)
		return error_set(err, errno, "cannot open '%s/" LOCK "'", site->run_path);
	if (mkdirat(site->run, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return error_set(err, errno, "cannot make directory '%s/" DIRECTORY "'",
				 site->run_path);
	ret_ticket->directory = file_open_directory(site->run, DIRECTORY);
	r = ret_ticket->directory < 0 ? ret_ticket->directory : lock_wait(lock, 0);
	if (r == 0)
		r = make_ticket(ret_ticket);
	if (r < 0)
		return error_set(err, -r, "cannot wait in '%s/" DIRECTORY "'", site->run_path);
	ret_ticket->watch = watch_line(ret_ticket->directory);
	return 0;
}

/* Whoever stands behind one of his own that waits for his own waits for the same. */
static bool is_for_own(const struct line *line, size_t which)
{
	for (size_t i = 0; i <= which; i++)
		if (line->list[i].for_own && line->list[i].owner == line->list[which].owner)
			return true;
	return false;
}

static void sweep_line(const struct site *site, int directory, const char *own)
{
	cleanup_fd int lock = open_lock(site);
	cleanup_line struct line line = {0};

	if (lock >= 0 && lock_try(lock, 0) == 0 && read_line(directory, own, &line) == 0)
		remove_dead(directory, &line);
}

int queue_look(const struct site *site, const struct ticket *ticket, unsigned *ret_ahead,
	       struct error *err)
{
	cleanup_line struct line line = {0};
	unsigned ahead = 0;
	char own[16];
	int r;

	snprintf(own, sizeof(own), NUMBER_FORMAT, ticket->number);
	r = read_line(ticket->directory, own, &line);
	if (r < 0)
		return error_set(err, -r, "cannot read '%s/" DIRECTORY "'", site->run_path);
	for (size_t i = 0; i < line.n && line.list[i].number < ticket->number; i++)
		ahead += line.list[i].owner == ticket->owner || !is_for_own(&line, i);
	if (line.dead)
		sweep_line(site, ticket->directory, own);
	*ret_ahead = ahead;
	return 0;
}

void queue_watch_ends(const struct site *site, struct ticket *ticket)
{
	cleanup_fd int events = openat(site->run, EVENTS_FILE_NAME,
				       O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", events);

	if (ticket->watches_ends || ticket->watch < 0 || events < 0)
		return;
	ticket->watches_ends = inotify_add_watch(ticket->watch, path, IN_MODIFY) >= 0;
}

void queue_note(struct ticket *ticket, enum room room)
{
	if (ticket->room == room)
		return;
	ticket->room = room;
	(void)write_ticket(ticket);
}

void queue_leave(struct ticket *ticket)
{
	char name[16];

	if (ticket->fd >= 0) {
		snprintf(name, sizeof(name), NUMBER_FORMAT, ticket->number);
		unlinkat(ticket->directory, name, 0);
	}
	cleanup_close(&ticket->fd);
	cleanup_close(&ticket->directory);
	cleanup_close(&ticket->watch);
}
