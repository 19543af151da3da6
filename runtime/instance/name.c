/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are short, readable and not taken, and ids; see start.h. */
#include "instance/start.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char *const words[] = {
	"alder",  "amber",  "aspen",  "badger", "basil",   "beech",   "birch",	"bison",  "brook",
	"cedar",  "clover", "comet",  "coral",	"crane",   "cricket", "dove",	"elder",  "ember",
	"fern",	  "finch",  "flint",  "fox",	"gecko",   "grove",   "hare",	"hazel",  "heron",
	"ibis",	  "iris",   "ivy",    "jade",	"juniper", "kestrel", "kite",	"lark",	  "laurel",
	"linden", "lotus",  "lynx",   "maple",	"marten",  "mint",    "moss",	"newt",	  "oak",
	"olive",  "opal",   "orchid", "otter",	"owl",	   "pearl",   "pine",	"plover", "quail",
	"raven",  "reed",   "robin",  "rowan",	"rush",	   "sage",    "sorrel", "swift",  "tern",
	"thyme",  "topaz",  "vole",   "willow", "wren",
};

static uint32_t random_number(void)
{
	uint32_t number = 0;

	while (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		;
	return number;
}

bool is_id(const char *text)
{
	return strlen(text) == INSTANCE_ID_LENGTH &&
	       strspn(text, "0123456789abcdef") == INSTANCE_ID_LENGTH;
}

void make_id(char id[INSTANCE_ID_LENGTH + 1])
{
	snprintf(id, INSTANCE_ID_LENGTH + 1, "%c%07x", "abcdef"[random_number() % 6],
		 random_number() >> 4);
}

void make_name(const char *template_name, unsigned attempt, char name[INSTANCE_NAME_MAX + 1])
{
	const char *word = words[random_number() % ARRAY_SIZE(words)];

	if (attempt < 8)
		snprintf(name, INSTANCE_NAME_MAX + 1, "%.40s-%s", template_name, word);
	else
		snprintf(name, INSTANCE_NAME_MAX + 1, "%.40s-%s-%u", template_name, word,
			 random_number() % 10000);
}
