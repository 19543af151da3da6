/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as what a server answers to the probe. How the network cuts the answer into
 * pieces makes no difference.
 */
#include "fuzz.h"
#include "keeper/probe.h"

#include <errno.h>

static const struct plan_check check = {.kind = READY_HTTP, .status_from = 200, .status_to = 400};

/* Hears the answer in pieces of at most piece bytes. */
static int hear(const uint8_t *data, size_t size, size_t piece)
{
	struct probe probe = {.checks = {{.plan = &check}}, .n_checks = 1};
	int r = 0;

	probe.check = probe.checks;
	for (size_t done = 0; r == 0 && done < size; done += piece) {
		size_t n = size - done < piece ? size - done : piece;
		cleanup_free char *copy = xcalloc(n, 1);

		memcpy(copy, data + done, n);
		r = probe_take_answer(&probe, copy, n);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int status = http_status_parse((const char *)data, size);
	int whole = hear(data, size, size + 1);

	must(status == 0 || status == -EBADMSG || (status >= 100 && status <= 999));
	must((whole == 1) == (status >= 200 && status <= 400));
	must(whole == 1 || whole == 0 || whole == -EBADMSG || whole == -EPROTO ||
	     (whole == -ENOENT && status >= 401));
	if (size >= PROBE_HEAD_SIZE)
		must(whole != 0);
	for (size_t piece = 1; piece <= PROBE_HEAD_SIZE + 1; piece++)
		must(hear(data, size, piece) == whole);
	return 0;
}
