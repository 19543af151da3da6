/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control packets as the program before version 2 of them had it: kept as it was, to be linked in
 * place of runtime/keeper/control.c, but for the number of the version and, at the end, what the
 * start message needs by now, which never leaves one build.
 */
#include "keeper/control.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/wire.h"

#include <errno.h>
#include <string.h>

#ifndef OLDER_VERSION
#define OLDER_VERSION 1
#endif

#define ERRNO_MAX 4095 /* as the kernel has it */

enum flag {
	FLAG_FINISH = 1,
	FLAG_TERMINAL = 2,
	FLAG_NOT_READY = 4,
	FLAG_AS_USER = 8,
	FLAG_EXPLAINED = 16
};

static uint32_t flags_of(const struct control_packet *packet)
{
	return (packet->finish ? FLAG_FINISH : 0U) | (packet->terminal ? FLAG_TERMINAL : 0U) |
	       (packet->not_ready ? FLAG_NOT_READY : 0U) | (packet->as_user ? FLAG_AS_USER : 0U) |
	       (packet->explained ? FLAG_EXPLAINED : 0U);
}

void control_encode(const struct control_packet *packet, struct text *ret_text)
{
	wire_put_u32(ret_text, OLDER_VERSION);
	wire_put_u32(ret_text, packet->verb);
	wire_put_u32(ret_text, flags_of(packet));
	wire_put_u32(ret_text, packet->uid);
	wire_put_u32(ret_text, packet->gid);
	wire_put_u64(ret_text, (uint64_t)packet->number);
	wire_put_u64(ret_text, (uint64_t)packet->number2);
	wire_put_string(ret_text, packet->text);
	wire_put_strv(ret_text, packet->argv);
	wire_put_strv(ret_text, packet->env);
	wire_put_u32(ret_text, packet->rows);
	wire_put_u32(ret_text, packet->columns);
	wire_put_u32(ret_text, packet->lease.clock);
	wire_put_u32(ret_text, packet->lease.source);
	wire_put_u64(ret_text, (uint64_t)packet->lease.deadline_ns);
	wire_put_u64(ret_text, (uint64_t)packet->lease.length_ns);
	wire_put_u64(ret_text, (uint64_t)packet->lease.max_ns);
	wire_put_u32(ret_text, (uint32_t)-packet->error.code);
	wire_put_u32(ret_text, packet->error.kind);
	wire_put_string(ret_text, packet->error.code ? packet->error.text : NULL);
}

int control_send(int fd, const struct control_packet *packet, const int *fds, size_t n_fds)
{
	cleanup_text struct text bytes = {0};

	control_encode(packet, &bytes);
	if (bytes.length > CONTROL_PACKET_MAX)
		return -E2BIG;
	return socket_send(fd, bytes.data, bytes.length, fds, n_fds);
}

static void get_error(struct wire_reader *from, struct error *error)
{
	cleanup_free char *text = NULL;
	uint32_t code = wire_get_u32(from);

	if (code > ERRNO_MAX)
		from->bad = true;
	else
		error->code = -(int)code;
	error->kind = wire_get_u32(from);
	text = wire_get_string(from);
	if (text)
		strncpy(error->text, text, sizeof(error->text) - 1);
}

/* What could be read of a packet that does not fit is in *p. */
static int decode(const void *data, size_t length, struct control_packet *p)
{
	struct wire_reader from = {.data = data, .left = length};
	uint32_t flags;

	if (wire_get_u32(&from) != OLDER_VERSION)
		return -EPROTO;
	p->verb = wire_get_u32(&from);
	flags = wire_get_u32(&from);
	p->finish = flags & FLAG_FINISH;
	p->terminal = flags & FLAG_TERMINAL;
	p->not_ready = flags & FLAG_NOT_READY;
	p->as_user = flags & FLAG_AS_USER;
	p->explained = flags & FLAG_EXPLAINED;
	p->uid = wire_get_u32(&from);
	p->gid = wire_get_u32(&from);
	p->number = (int64_t)wire_get_u64(&from);
	p->number2 = (int64_t)wire_get_u64(&from);
	p->text = wire_get_string(&from);
	p->argv = wire_get_strv(&from);
	p->env = wire_get_strv(&from);
	p->rows = (uint16_t)wire_get_u32(&from);
	p->columns = (uint16_t)wire_get_u32(&from);
	p->lease.clock = wire_get_u32(&from);
	p->lease.source = wire_get_u32(&from);
	p->lease.deadline_ns = (int64_t)wire_get_u64(&from);
	p->lease.length_ns = (int64_t)wire_get_u64(&from);
	p->lease.max_ns = (int64_t)wire_get_u64(&from);
	get_error(&from, &p->error);
	return from.bad || from.left ? -EBADMSG : 1;
}

int control_decode(const void *data, size_t length, struct control_packet *ret_packet)
{
	struct control_packet packet = {0};
	int r = decode(data, length, &packet);

	if (r > 0)
		*ret_packet = packet;
	else
		control_packet_deinit(&packet);
	return r;
}

int control_receive(int fd, struct control_packet *ret_packet, int *fds, size_t *ret_n_fds)
{
	cleanup_free char *buffer = xcalloc(1, CONTROL_PACKET_MAX);
	ssize_t n = socket_receive(fd, buffer, CONTROL_PACKET_MAX, fds, ret_n_fds);
	int r;

	if (n <= 0)
		return (int)n;
	r = control_decode(buffer, (size_t)n, ret_packet);
	if (r > 0)
		return r;
	for (size_t i = 0; i < *ret_n_fds; i++)
		close(fds[i]);
	*ret_n_fds = 0;
	return r;
}

void control_packet_deinit(struct control_packet *packet)
{
	free(packet->text);
	strv_free(packet->argv);
	strv_free(packet->env);
	*packet = (struct control_packet){0};
}

void lease_put(struct text *to, const struct lease *lease)
{
	wire_put_u32(to, lease->clock);
	wire_put_u32(to, lease->source);
	wire_put_u64(to, (uint64_t)lease->deadline_ns);
	wire_put_u64(to, (uint64_t)lease->length_ns);
	wire_put_u64(to, (uint64_t)lease->max_ns);
}

void lease_get(struct wire_reader *from, struct lease *lease)
{
	lease->clock = wire_get_u32(from);
	lease->source = wire_get_u32(from);
	lease->deadline_ns = (int64_t)wire_get_u64(from);
	lease->length_ns = (int64_t)wire_get_u64(from);
	lease->max_ns = (int64_t)wire_get_u64(from);
}
