/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as a packet between commands, keeper and init. What is understood is the
 * same after it was packed and unpacked again.
 */
#include "fuzz.h"
#include "keeper/control.h"

#include <errno.h>

/* Whoever got a packet uses these without asking. */
static void check_packet(const struct control_packet *packet)
{
	must(packet->argv && packet->env);
	must(packet->error.code <= 0 && packet->error.code >= -4095);
	must(memchr(packet->error.text, '\0', sizeof(packet->error.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_packet struct control_packet packet = {0}, back = {0};
	cleanup_text struct text bytes = {0}, again = {0};
	int r = control_decode(data, size, &packet);

	must(r == 1 || r == -EPROTO || r == -EBADMSG);
	if (r < 0)
		return 0;
	check_packet(&packet);
	control_encode(&packet, &bytes);
	must(control_decode(bytes.data, bytes.length, &back) == 1);
	control_encode(&back, &again);
	must(bytes.length == again.length && memcmp(bytes.data, again.data, bytes.length) == 0);
	return 0;
}
