/* SPDX-License-Identifier: Apache-2.0 */
/* Digests; see digest.h. */
#include "base/digest.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/library.h"
#include "base/text.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <unistd.h>

#define PORTION (256U << 10)

_Static_assert(NETTLE_VERSION_MAJOR == 3, "libnettle.so.8 is what version 3 is called");
_Static_assert(DIGEST_SIZE == SHA256_DIGEST_SIZE, "a digest is a SHA-256");

/* Declared by the library's header; found when it is loaded. */
static struct {
	__typeof__(nettle_sha256_init) *begin;
	__typeof__(nettle_sha256_update) *add;
	__typeof__(nettle_sha256_digest) *end;
} sha256;

static const struct library_symbol symbols[] = {
	{"nettle_sha256_init", &sha256.begin},
	{"nettle_sha256_update", &sha256.add},
	{"nettle_sha256_digest", &sha256.end},
};

int digest_load(struct error *err)
{
	const struct library library = {.file = "libnettle.so.8",
					.needing = "hashes need",
					.package = "libnettle8",
					.symbols = symbols,
					.n = ARRAY_SIZE(symbols)};

	return library_load(&library, err);
}

int digest_of_file(int fd, int cancel, uint8_t ret_digest[DIGEST_SIZE])
{
	cleanup_free uint8_t *portion = xcalloc(1, PORTION);
	struct sha256_ctx context;
	ssize_t n;

	sha256.begin(&context);
	do {
		if (file_is_readable(cancel))
			return -ECANCELED;
		n = read(fd, portion, PORTION);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			sha256.add(&context, (size_t)n, portion);
	} while (n != 0);
	sha256.end(&context, DIGEST_SIZE, ret_digest);
	return 0;
}
