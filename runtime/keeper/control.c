/* SPDX-License-Identifier: Apache-2.0 */
/* Control packets to and from bytes; see control.h. In commands, the keeper and init. */
#include "keeper/control.h"
#include "base/cleanup.h"
#include "base/socket.h"

#include <errno.h>
#include <string.h>

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

static void put_lease_1(struct text *to, const struct lease *lease)
{
	wire_put_u32(to, lease->clock);
	wire_put_u32(to, lease->source);
	wire_put_u64(to, (uint64_t)lease->deadline_ns);
	wire_put_u64(to, (uint64_t)lease->length_ns);
	wire_put_u64(to, (uint64_t)lease->max_ns);
}

static void put_lease_2(struct text *to, const struct lease *lease)
{
	wire_put_u64(to, (uint64_t)lease->idle_ns);
	wire_put_u32(to, lease->idle_source);
	wire_put_u64(to, (uint64_t)lease->frozen_ns);
}

static void get_lease_1(struct wire_reader *from, struct lease *lease)
{
	lease->clock = wire_get_u32(from);
	lease->source = wire_get_u32(from);
	lease->deadline_ns = (int64_t)wire_get_u64(from);
	lease->length_ns = (int64_t)wire_get_u64(from);
	lease->max_ns = (int64_t)wire_get_u64(from);
}

static void get_lease_2(struct wire_reader *from, struct lease *lease)
{
	lease->idle_ns = (int64_t)wire_get_u64(from);
	lease->idle_source = wire_get_u32(from);
	lease->frozen_ns = (int64_t)wire_get_u64(from);
}

void lease_put(struct text *to, const struct lease *lease)
{
	put_lease_1(to, lease);
	put_lease_2(to, lease);
}

void lease_get(struct wire_reader *from, struct lease *lease)
{
	get_lease_1(from, lease);
	get_lease_2(from, lease);
}

/* The lowest that has room for what the packet says; who set a rule that there is not says nothing.
 */
static uint32_t version_of(const struct control_packet *packet)
{
	const struct lease *lease = &packet->lease;

	return lease->idle_ns || lease->frozen_ns ? 2 : 1;
}

void control_encode(const struct control_packet *packet, struct text *ret_text)
{
	uint32_t version = version_of(packet);

	wire_put_u32(ret_text, version);
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
	put_lease_1(ret_text, &packet->lease);
	wire_put_u32(ret_text, (uint32_t)-packet->error.code);
	wire_put_u32(ret_text, packet->error.kind);
	wire_put_string(ret_text, packet->error.code ? packet->error.text : NULL);
	if (version >= 2)
		put_lease_2(ret_text, &packet->lease);
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

static int get_head(struct wire_reader *from, struct control_packet *p)
{
	uint32_t version = wire_get_u32(from), flags;

	if (version < 1 || version > CONTROL_VERSION)
		return -EPROTO;
	p->verb = wire_get_u32(from);
	flags = wire_get_u32(from);
	p->finish = flags & FLAG_FINISH;
	p->terminal = flags & FLAG_TERMINAL;
	p->not_ready = flags & FLAG_NOT_READY;
	p->as_user = flags & FLAG_AS_USER;
	p->explained = flags & FLAG_EXPLAINED;
	p->uid = wire_get_u32(from);
	p->gid = wire_get_u32(from);
	p->number = (int64_t)wire_get_u64(from);
	p->number2 = (int64_t)wire_get_u64(from);
	return (int)version;
}

/* What could be read of a packet that does not fit is in *p. */
static int decode(const void *data, size_t length, struct control_packet *p)
{
	struct wire_reader from = {.data = data, .left = length};
	int version = get_head(&from, p);

	if (version < 0)
		return version;
	p->text = wire_get_string(&from);
	p->argv = wire_get_strv(&from);
	p->env = wire_get_strv(&from);
	p->rows = (uint16_t)wire_get_u32(&from);
	p->columns = (uint16_t)wire_get_u32(&from);
	get_lease_1(&from, &p->lease);
	get_error(&from, &p->error);
	if (version >= 2)
		get_lease_2(&from, &p->lease);
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

/* Of a packet that came without its descriptors: the buffer is longer than any head. */
static void identify(const void *buffer, struct control_packet *ret_packet)
{
	struct wire_reader from = {.data = buffer, .left = CONTROL_PACKET_MAX};
	struct control_packet head = {0};

	if (get_head(&from, &head) > 0)
		*ret_packet = (struct control_packet){.verb = head.verb, .number = head.number};
}

int control_receive(int fd, struct control_packet *ret_packet, int *fds, size_t *ret_n_fds)
{
	cleanup_free char *buffer = xcalloc(1, CONTROL_PACKET_MAX);
	ssize_t n = socket_receive(fd, buffer, CONTROL_PACKET_MAX, fds, ret_n_fds);
	int r;

	if (n == -EMSGSIZE)
		identify(buffer, ret_packet);
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
