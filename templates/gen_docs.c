/* SPDX-License-Identifier: Apache-2.0 */
/* A tool of the build: prints what is made from the tables of keys. */
#include "templates/config.h"
#include "templates/template.h"
#include "base/cleanup.h"

#include <string.h>

static const struct {
	const char *word;
	void (*put)(struct text *ret_text);
} forms[] = {
	{"markdown", template_keys_markdown},
	{"man", template_keys_man},
	{"schema", template_schema},
	{"config", config_keys_markdown},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(forms); i++) {
		cleanup_text struct text text = {0};

		if (strcmp(argv[1], forms[i].word) != 0)
			continue;
		forms[i].put(&text);
		return fputs(text.data, stdout) < 0 || fflush(stdout) < 0 ? 1 : 0;
	}
	fprintf(stderr, "usage: stint-gen-docs markdown|man|schema|config\n");
	return 2;
}
