/* SPDX-License-Identifier: Apache-2.0 */
/* The error object; see error.h. Used in every process. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* what error.h puts around these for the analyzer is for callers */
#undef error_set
#undef error_say

static void put_text(struct error *err, const char *format, va_list args)
{
	vsnprintf(err->text, sizeof(err->text), format, args);
}

int error_set(struct error *err, int errnum, const char *format, ...)
{
	va_list args;
	size_t used;

	if (errnum <= 0)
		errnum = EIO;
	if (!err)
		return -errnum;
	va_start(args, format);
	put_text(err, format, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errnum));
	err->code = -errnum;
	err->kind = ERROR_FAILED;
	return err->code;
}

static int errno_of_kind(enum error_kind kind)
{
	switch (kind) {
	case ERROR_USAGE:
		return EINVAL;
	case ERROR_NOT_FOUND:
		return ENOENT;
	case ERROR_EXISTS:
		return EEXIST;
	case ERROR_REFUSED:
		return EPERM;
	case ERROR_NOT_READY:
		return ETIMEDOUT;
	default:
		return EIO;
	}
}

int error_say(struct error *err, enum error_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return -errno_of_kind(kind);
	va_start(args, format);
	put_text(err, format, args);
	va_end(args);
	err->code = -errno_of_kind(kind);
	err->kind = kind;
	return err->code;
}

int error_prefix(struct error *err, const char *format, ...)
{
	char old[ERROR_TEXT_SIZE];
	va_list args;
	size_t used;

	if (!err)
		return -EIO;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	put_text(err, format, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
	return err->code;
}

int error_kind_set(struct error *err, enum error_kind kind)
{
	if (!err)
		return -EIO;
	err->kind = kind;
	return err->code;
}

int error_interrupted(struct error *err)
{
	error_say(err, ERROR_FAILED, "interrupted");
	return error_with_code(err, -ECANCELED);
}

int error_with_code(struct error *err, int code)
{
	if (err)
		err->code = code;
	return code;
}
