/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller gives for the secrets of a template; see secret.h. In the command that starts it.
 */
#include "instance/secret.h"
#include "instance/identity.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BUFFER_SIZE 4096

static int copy_all(int from, int to)
{
	char buffer[BUFFER_SIZE];
	size_t total = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(from, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : file_write_all(to, buffer, (size_t)n);
		total += n > 0 ? (size_t)n : 0;
		if (total > SECRET_SIZE_MAX)
			r = -EFBIG;
	}
	explicit_bzero(buffer, sizeof(buffer));
	return r == 0 && total == 0 ? -ENODATA : r;
}

int secret_load(int from, const char *what, struct error *err)
{
	cleanup_fd int fd = memfd_create("stint-secret", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : copy_all(from, fd);

	if (r == -ENODATA)
		return error_say(err, ERROR_FAILED, "%s is empty", what);
	if (r == -EFBIG)
		return error_say(err, ERROR_FAILED, "%s is larger than %u KiB", what,
				 SECRET_SIZE_MAX >> 10);
	if (r < 0)
		return error_set(err, -r, "cannot read %s", what);
	lseek(fd, 0, SEEK_SET);
	return steal_fd(&fd);
}

static int read_file(const char *path, const char *what, const struct account *person,
		     struct error *err)
{
	cleanup_fd int from = identity_open_file(person, path, err);

	return from < 0 ? error_prefix(err, "%s", what) : secret_load(from, what, err);
}

static int read_descriptor(int from, const char *what, struct error *err)
{
	if (fcntl(from, F_GETFD) < 0)
		return error_say(err, ERROR_USAGE, "%s: descriptor %d is not open", what, from);
	if (isatty(from))
		return error_say(err, ERROR_USAGE,
				 "%s: it would be typed on a terminal, where it is seen; give a "
				 "file, or the output of a program",
				 what);
	return secret_load(from, what, err);
}

static int wrong_word(struct error *err)
{
	return error_say(err, ERROR_USAGE,
			 "--secret takes NAME=@FILE, NAME=- for standard input, or NAME=fd:NUMBER; "
			 "the secret itself, on a command line, is seen by everybody");
}

static int read_source(const char *source, const char *what, const struct account *person,
		       struct error *err)
{
	uint64_t number;

	if (source[0] == '@' && source[1])
		return read_file(source + 1, what, person, err);
	if (strcmp(source, "-") == 0)
		return read_descriptor(STDIN_FILENO, what, err);
	if (strncmp(source, "fd:", 3) == 0 && parse_number(source + 3, INT_MAX, &number) == 0)
		return read_descriptor((int)number, what, err);
	return wrong_word(err);
}

static int read_one(const char *word, const struct account *person, struct given_secrets *given,
		    struct error *err)
{
	const char *equal = strchr(word, '=');
	cleanup_free char *name = xasprintf("%.*s", (int)(equal ? equal - word : 0), word);
	cleanup_free char *what = xasprintf("secret '%s'", name);
	int r;

	if (!equal || !is_valid_name(name))
		return wrong_word(err);
	if (secrets_find(given, name) >= 0)
		return error_say(err, ERROR_USAGE, "%s is given twice", what);
	if (given->n == PLAN_SECRETS_MAX)
		return error_say(err, ERROR_USAGE, "too many secrets; at most %d",
				 PLAN_SECRETS_MAX);
	r = read_source(equal + 1, what, person, err);
	if (r < 0)
		return r;
	given->list[given->n].name = steal_ptr(name);
	given->list[given->n++].fd = r;
	return 0;
}

int secrets_read(char *const *words, const struct account *person, struct given_secrets *ret_given,
		 struct error *err)
{
	int r = 0;

	*ret_given = (struct given_secrets){.n = 0};
	for (size_t i = 0; r == 0 && words && words[i]; i++)
		r = read_one(words[i], person, ret_given, err);
	return r;
}

void secrets_deinit(struct given_secrets *given)
{
	for (size_t i = 0; i < given->n; i++) {
		free(given->list[i].name);
		close(given->list[i].fd);
	}
	given->n = 0;
}

int secrets_find(const struct given_secrets *given, const char *name)
{
	for (size_t i = 0; i < given->n; i++)
		if (strcmp(given->list[i].name, name) == 0)
			return given->list[i].fd;
	return -1;
}

static int say_unknown(const struct plan *plan, const char *name, struct error *err)
{
	cleanup_text struct text known = {0};

	for (size_t i = 0; i < plan->content.n_secrets; i++)
		text_addf(&known, "%s%s", i ? ", " : "", plan->content.secrets[i].name);
	return error_say(err, ERROR_USAGE, "template '%s' has no secret '%s'%s%s",
			 plan->template_name, name, known.length ? "; it has: " : "",
			 known.length ? known.data : "");
}

int secrets_check(const struct plan *plan, const struct given_secrets *given, struct error *err)
{
	for (size_t i = 0; i < given->n; i++)
		if (!plan_secret_find(&plan->content, given->list[i].name))
			return say_unknown(plan, given->list[i].name, err);
	for (size_t i = 0; i < plan->content.n_secrets; i++) {
		const struct plan_secret *secret = &plan->content.secrets[i];

		if (!secret->from && !secret->missing && secrets_find(given, secret->name) < 0)
			return error_say(err, ERROR_USAGE,
					 "template '%s' needs a secret '%s'; add --secret %s=@FILE",
					 plan->template_name, secret->name, secret->name);
	}
	return 0;
}
