/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error object: made where the failure happens, with the object's name in quotes; each phase
 * above adds at most one prefix; only the command line prints it. Fixed size, so that a failure
 * never allocates and a child can send it to its parent in one message.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define ERROR_TEXT_SIZE 512

/* The kinds are the exit codes of the command line (stint(1)). */
enum error_kind {
	ERROR_FAILED = 1,
	ERROR_USAGE = 2,
	ERROR_NOT_FOUND = 3,
	ERROR_EXISTS = 4,
	ERROR_REFUSED = 5,
	ERROR_NOT_READY = 6,
};

struct error {
	int code; /* negative errno, 0 when nothing failed */
	enum error_kind kind;
	char text[ERROR_TEXT_SIZE];
};

/*
 * Fills err with the text and, after a colon, the words for errnum (positive errno). The kind is
 * ERROR_FAILED. Returns -errnum, so that "return error_set(err, errno, ...)" is the whole path.
 * err may be NULL.
 */
int error_set(struct error *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Fills err with the text alone, for failures that no errno describes. Returns a negative errno
 * that fits the kind (-EINVAL, -ENOENT, -EEXIST, -EPERM, -ETIMEDOUT, -EIO).
 */
int error_say(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text of err and returns err->code. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives err another errno than that of its kind; returns it (also when err is NULL). */
int error_with_code(struct error *err, int code);

/* "interrupted", -ECANCELED: somebody gave up, by Ctrl-C for example. */
int error_interrupted(struct error *err);

/* Changes the kind of a failure that is already described; returns err->code. */
int error_kind_set(struct error *err, enum error_kind kind);

/*
 * The static analyzer sees one file at a time and would follow paths on which a failure is 0 and
 * an output unset. True for what describes a failure: it is negative.
 */
#ifdef __clang_analyzer__
static inline int error_is_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}
#define error_set(...) error_is_negative(error_set(__VA_ARGS__))
#define error_say(...) error_is_negative(error_say(__VA_ARGS__))
#endif

#endif
