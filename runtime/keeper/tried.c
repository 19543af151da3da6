/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the last attempt, in words; see tried.h. In the keeper. */
#include "keeper/tried.h"
#include "keeper/message.h"
#include "base/cleanup.h"
#include "base/visible.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define STATUS_MAX 999
#define ERRNO_MAX 4095 /* as the kernel has it */
#define WORD_MAX 48    /* bytes of what the template says: a reason is short */
#define SERVER_ERROR 500

bool tried_is_sane(const struct tried *tried, const struct plan_ready *ready)
{
	if (tried->outcome == TRIED_NOTHING || tried->outcome >= TRIED_OUTCOMES ||
	    tried->check >= ready->n_checks)
		return false;
	if (tried->outcome == TRIED_STATUS)
		return tried->detail <= STATUS_MAX;
	return tried->outcome == TRIED_ERROR ? tried->detail <= ERRNO_MAX : tried->detail == 0;
}

bool tried_may_change(const struct tried *tried)
{
	if (tried->outcome == TRIED_STATUS)
		return tried->detail >= SERVER_ERROR;
	return tried->outcome != TRIED_ELSEWHERE && tried->outcome != TRIED_NO_HTTP &&
	       tried->outcome != TRIED_NOT_EXECUTED;
}

static void add_word(struct text *text, const char *word)
{
	size_t length = strlen(word);

	text_add_visible(text, word, length < WORD_MAX ? length : WORD_MAX);
	if (length > WORD_MAX)
		text_add(text, "...");
}

static void add_request(struct text *text, const struct start_message *m, uint32_t i)
{
	const struct plan_check *check = &m->ready.checks[i];
	uint32_t a = m->check_flags[i] & PORT_LOOPBACK ? INADDR_LOOPBACK : m->address;

	if (check->kind != READY_HTTP) {
		text_addf(text, "a connection to port %u inside", check->port);
		return;
	}
	text_addf(text, "GET http://%u.%u.%u.%u:%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255,
		  check->port);
	add_word(text, check->path ? check->path : "/");
}

static void add_status(struct text *text, const struct plan_check *check, uint32_t status)
{
	text_addf(text, " answered %u, wanted %u", status, check->status_from);
	if (check->status_to != check->status_from)
		text_addf(text, "-%u", check->status_to);
}

static void describe_check(struct text *text, const struct tried *tried,
			   const struct start_message *m)
{
	const struct plan_check *check = &m->ready.checks[tried->check];

	if (tried->outcome == TRIED_REFUSED) {
		text_addf(text, "connection refused on port %u inside", check->port);
		return;
	}
	if (tried->outcome == TRIED_ELSEWHERE) {
		text_addf(text,
			  "connection refused on port %u inside, open on 127.0.0.1 alone: its port "
			  "needs 'loopback: true'",
			  check->port);
		return;
	}
	add_request(text, m, tried->check);
	if (tried->outcome == TRIED_UNANSWERED)
		text_add(text, " was not answered");
	else if (tried->outcome == TRIED_CLOSED)
		text_add(text, " was closed without an answer");
	else if (tried->outcome == TRIED_NO_HTTP)
		text_add(text, " got an answer that is not HTTP");
	else if (tried->outcome == TRIED_STATUS)
		add_status(text, check, tried->detail);
	else
		text_addf(text, " failed: %s", strerror((int)tried->detail));
}

static void describe_command(struct text *text, const struct tried *tried, char *const *command)
{
	int status = (int)tried->detail;

	text_add(text, "'");
	add_word(text, command && command[0] ? command[0] : "");
	if (tried->outcome == TRIED_NOTHING)
		text_add(text, "' has not ended");
	else if (tried->outcome == TRIED_NOT_EXECUTED)
		text_add(text, "' cannot be executed inside");
	else if (WIFSIGNALED(status))
		text_addf(text, "' was killed by signal %d", WTERMSIG(status));
	else
		text_addf(text, "' exited with status %d", WEXITSTATUS(status));
}

void tried_describe(const struct tried *tried, const struct start_message *message, char *ret_text,
		    size_t size)
{
	const struct plan_ready *ready = &message->ready;
	cleanup_text struct text text = {0};

	if (ready->kind == READY_LOG) {
		text_add(&text, "no line of its output matched '");
		add_word(&text, ready->pattern ? ready->pattern : "");
		text_add(&text, "'");
	} else if (ready->kind == READY_COMMAND) {
		describe_command(&text, tried, ready->command);
	} else if (tried_is_sane(tried, ready)) {
		describe_check(&text, tried, message);
	}
	snprintf(ret_text, size, "%s", text.data ? text.data : "");
}
