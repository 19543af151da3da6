/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/library: shared libraries that are loaded when they are needed. */
#include "world.h"
#include "base/library.h"

#include <errno.h>
#include <math.h>

static struct {
	__typeof__(cos) *cosine;
	__typeof__(sqrt) *root;
} lib;

static const struct library_symbol good[] = {{"cos", &lib.cosine}, {"sqrt", &lib.root}};
static const struct library_symbol bad[] = {{"cos", &lib.cosine}, {"there_is_none", &lib.root}};

static struct library library_of(const char *file, const struct library_symbol *symbols)
{
	return (struct library){.file = file,
				.needing = "numbers need",
				.package = "libc6",
				.symbols = symbols,
				.n = 2};
}

static void expect_refused(const struct library *library, const char *sentence)
{
	struct error err = {0};

	assert_int_equal(library_load(library, &err), -ENOENT);
	assert_string_equal(err.text, sentence);
	assert_null(lib.cosine);
	assert_null(lib.root);
}

static void library_load_of_what_is_not_there(void **state)
{
	const struct library none = library_of("libthereisnone.so.6", good);
	const struct library other = library_of("libm.so.6", bad);

	(void)state;
	expect_refused(&none, "numbers need libthereisnone.so.6, which cannot be loaded: install "
			      "it (Debian: libc6)");
	/* another version of its interface: nothing of it is used */
	expect_refused(&other, "numbers need libm.so.6, which cannot be loaded: install it "
			       "(Debian: libc6)");
}

static void library_load_twice(void **state)
{
	const struct library library = library_of("libm.so.6", good);
	struct error err = {0};
	double (*found)(double);

	(void)state;
	assert_succeeds(library_load(&library, &err), &err);
	found = lib.cosine;
	assert_true(lib.root(9) > 2.9 && lib.root(9) < 3.1);
	assert_succeeds(library_load(&library, &err), &err);
	assert_ptr_equal(lib.cosine, found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(library_load_of_what_is_not_there),
		cmocka_unit_test(library_load_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
