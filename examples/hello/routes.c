/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of hello over HTTP: a table of routes and a function for each. */
#include "flow.h"
#include "hello.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVE_INTERVAL 1.0 /* seconds from a request to the counter file that has it */

static void get_readiness(struct hello *hello, const char *rest, const struct http_request *request,
			  struct http_response *response)
{
	(void)rest, (void)request;
	response->type = "application/json";
	response->status = hello->ready ? 200 : 503;
	http_printf(response, "{\"status\":\"%s\"}\n", hello->ready ? "UP" : "DOWN");
}

static void get_liveness(struct hello *hello, const char *rest, const struct http_request *request,
			 struct http_response *response)
{
	(void)hello, (void)rest, (void)request;
	response->type = "application/json";
	http_printf(response, "{\"status\":\"UP\"}\n");
}

static void get_ping(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	char date[64];

	(void)hello, (void)rest, (void)request;
	utc_now(date, sizeof(date), "%a %b %d %T UTC %Y");
	response->type = "application/json";
	http_printf(response, "{\"date\":\"%s\"}\n", date);
}

static void any_echo(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	(void)hello, (void)rest;
	if (request->body_length > 0)
		http_write(response, request->body, request->body_length);
	else
		http_printf(response, "%s", request->query);
}

static void get_flow(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	(void)request;
	if (*rest == '\0')
		flow_list(hello->home, response);
	else
		flow_run(hello->home, rest, response);
}

static void put_flow(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	if (flow_deploy(hello->home, rest, request, response))
		say(hello, "deployed flow %s", rest);
}

static void delete_flow(struct hello *hello, const char *rest, const struct http_request *request,
			struct http_response *response)
{
	(void)request;
	if (flow_remove(hello->home, rest, response))
		say(hello, "removed flow %s", rest);
}

static void get_big(struct hello *hello, const char *rest, const struct http_request *request,
		    struct http_response *response)
{
	(void)hello, (void)request;
	if (*rest == '\0' || strlen(rest) > 15 || rest[strspn(rest, "0123456789")] != '\0') {
		response->status = 400;
		http_printf(response, "/big/N takes a number of bytes\n");
		return;
	}
	response->type = "application/octet-stream";
	response->filler = strtoull(rest, NULL, 10);
}

/* Ends at once, as a crash does: nothing is answered, flushed or saved. */
static void any_crash(struct hello *hello, const char *rest, const struct http_request *request,
		      struct http_response *response)
{
	int status = 1;

	(void)rest, (void)response;
	sscanf(request->query, "status=%d", &status);
	say(hello, "crash on request, status %d", status & 0xff);
	complain("crashed on request");
	_exit(status & 0xff);
}

static void any_hang(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	(void)hello, (void)rest, (void)request;
	response->hang = true;
}

static void get_page(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response);

/* A path that ends in '/' stands for all below it; the handler gets what follows as rest. */
static const struct route {
	const char *method; /* NULL: any */
	const char *path;
	void (*handle)(struct hello *hello, const char *rest, const struct http_request *request,
		       struct http_response *response);
	const char *help;
	bool early; /* answered before the server is ready */
} routes[] = {
	{"GET", "/", get_page, "this page", false},
	{"GET", "/health/readiness", get_readiness, "200 when ready, else 503", true},
	{"GET", "/health/liveness", get_liveness, "200", true},
	{"GET", "/invoke/wm.server/ping", get_ping, "the date", false},
	{NULL, "/invoke/hello/echo", any_echo, "the body or the query that was sent", false},
	{"GET", "/flow/", get_flow, "runs flow NAME, or lists the flows", false},
	{"PUT", "/flow/", put_flow, "deploys the body as flow NAME", false},
	{"DELETE", "/flow/", delete_flow, "removes flow NAME", false},
	{"GET", "/big/", get_big, "N bytes", false},
	{NULL, "/crash", any_crash, "ends the server with ?status=N", true},
	{NULL, "/hang", any_hang, "never answers", true},
};

static void get_page(struct hello *hello, const char *rest, const struct http_request *request,
		     struct http_response *response)
{
	(void)rest, (void)request;
	http_printf(response, "hello from %s\n\nuptime    %.0f s\nrequests  %llu\n",
		    hello->hostname, now() - hello->started, hello->requests);
	http_printf(response, "install   %s\nuuid      %s\n\n", hello->home_path, hello->uuid);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		http_printf(response, "%-7s %-24s %s\n",
			    routes[i].method ? routes[i].method : "any", routes[i].path,
			    routes[i].help);
}

/* What follows the route's path in target, or NULL when the route is not meant. */
static const char *route_match(const struct route *route, const char *target)
{
	size_t length = strlen(route->path);
	bool is_prefix = length > 1 && route->path[length - 1] == '/';

	if (strncmp(target, route->path, length) != 0 || (!is_prefix && target[length] != '\0'))
		return NULL;
	return target + length;
}

static bool method_matches(const struct route *route, const char *method)
{
	return !route->method || strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void respond_plain(struct http_response *response, int status, const char *text)
{
	response->status = status;
	http_printf(response, "%s\n", text);
}

void routes_handle(void *context, const struct http_request *request,
		   struct http_response *response)
{
	struct hello *hello = context;
	bool found = false;

	hello->requests++;
	if (hello->save_at < 0)
		hello->save_at = now() + SAVE_INTERVAL;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		const char *rest = route_match(&routes[i], request->target);

		found = found || rest;
		if (!rest || !method_matches(&routes[i], request->method))
			continue;
		if (!hello->ready && !routes[i].early)
			respond_plain(response, 503, "starting");
		else
			routes[i].handle(hello, rest, request, response);
		return;
	}
	respond_plain(response, found ? 405 : 404, found ? "not with this method" : "not here");
}
