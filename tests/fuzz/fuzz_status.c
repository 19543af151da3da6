/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: any bytes as a status file. */
#include "fuzz.h"
#include "keeper/status.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *string = fuzz_string(data, size);
	struct status status = {0};
	int r = status_parse(string, &status);

	must(r == 0 || r == -EBADMSG);
	must(*instance_state_name(status.state));
	must(memchr(status.reason, '\0', sizeof(status.reason)) && !strchr(status.reason, '\n'));
	return 0;
}
