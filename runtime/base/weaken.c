/* SPDX-License-Identifier: Apache-2.0 */
/* Which protections are taken out; see weaken.h. In every process of a weak build, and in no other.
 */
#include "base/weaken.h"

#ifdef STINT_WEAKEN
#include <stdlib.h>
#include <string.h>

bool weakened(const char *protection)
{
	const char *word = getenv("STINT_WEAKEN");
	size_t length = strlen(protection);

	for (; word && *word; word += *word == ',') {
		size_t n = strcspn(word, ",");

		if (n == length && memcmp(word, protection, n) == 0)
			return true;
		word += n;
	}
	return false;
}
#endif
