/* SPDX-License-Identifier: Apache-2.0 */
/* nftables; see nft.h. In commands. */
#include "netns/nft.h"
#include "base/cleanup.h"
#include "base/library.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>

/* Declared by the library's header; found when it is loaded. */
static struct {
	__typeof__(nft_ctx_new) *make;
	__typeof__(nft_ctx_free) *end;
	__typeof__(nft_ctx_output_set_flags) *set_flags;
	__typeof__(nft_ctx_buffer_output) *buffer_output;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_get_output_buffer) *output;
	__typeof__(nft_ctx_get_error_buffer) *error;
	__typeof__(nft_run_cmd_from_buffer) *run;
} nft;

static const struct library_symbol symbols[] = {
	{"nft_ctx_new", &nft.make},
	{"nft_ctx_free", &nft.end},
	{"nft_ctx_output_set_flags", &nft.set_flags},
	{"nft_ctx_buffer_output", &nft.buffer_output},
	{"nft_ctx_buffer_error", &nft.buffer_error},
	{"nft_ctx_get_output_buffer", &nft.output},
	{"nft_ctx_get_error_buffer", &nft.error},
	{"nft_run_cmd_from_buffer", &nft.run},
};

static int load(struct error *err)
{
	const struct library library = {.file = "libnftables.so.1",
					.needing = "a zone with traffic needs",
					.package = "libnftables1",
					.symbols = symbols,
					.n = ARRAY_SIZE(symbols)};

	return library_load(&library, err);
}

static int run(struct nft_ctx *context, const char *commands, char **ret_output, struct error *err)
{
	nft.set_flags(context, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL);
	if (nft.buffer_output(context) || nft.buffer_error(context))
		return error_set(err, ENOMEM, "cannot use nftables");
	if (nft.run(context, commands)) {
		const char *words = nft.error(context);

		return error_say(err, ERROR_FAILED, "nftables: %.*s",
				 (int)strcspn(words ? words : "", "\n"), words ? words : "");
	}
	if (ret_output)
		*ret_output = xstrdup(nft.output(context));
	return 0;
}

int nft_run(const char *commands, char **ret_output, struct error *err)
{
	struct nft_ctx *context;
	int r = load(err);

	if (r < 0)
		return r;
	context = nft.make(NFT_CTX_DEFAULT);
	if (!context)
		return error_set(err, ENOMEM, "cannot use nftables");
	r = run(context, commands, ret_output, err);
	nft.end(context);
	return r;
}

struct generation_request {
	struct nlmsghdr header;
	struct nfgenmsg message;
};

/* The first attribute of the answer is the number, big-endian. */
static int read_generation(int fd, uint32_t *ret_generation)
{
	struct {
		struct generation_request request;
		char attributes[256];
	} answer;
	const struct nlattr *attribute = (const struct nlattr *)answer.attributes;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);

	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer.request) + NLA_HDRLEN + sizeof(uint32_t) ||
	    answer.request.header.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN) ||
	    attribute->nla_type != NFTA_GEN_ID)
		return -EPROTO;
	memcpy(ret_generation, answer.attributes + NLA_HDRLEN, sizeof(*ret_generation));
	*ret_generation = ntohl(*ret_generation);
	return 0;
}

int nft_generation(uint32_t *ret_generation, struct error *err)
{
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct generation_request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
			   .nlmsg_flags = NLM_F_REQUEST},
		.message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	int r = fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;

	if (r == 0)
		r = read_generation(fd, ret_generation);
	return r < 0 ? error_set(err, -r, "cannot ask the kernel for its nftables") : 0;
}
