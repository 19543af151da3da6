/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request; see request.h. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header field, blanks stripped; false: not there, or longer than size. */
static bool header_find(const char *head, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name), length;

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
			continue;
		line += name_length + 1;
		line += strspn(line, " \t");
		length = strcspn(line, "\r\n");
		while (length > 0 && strchr(" \t", line[length - 1]))
			length--;
		if (length >= size)
			return false;
		memcpy(value, line, length);
		value[length] = '\0';
		return true;
	}
	return false;
}

int request_body_length(const char *head, size_t *ret_length)
{
	char value[24];
	unsigned long long length;

	if (header_find(head, "Transfer-Encoding", value, sizeof(value)))
		return 411;
	*ret_length = 0;
	if (!header_find(head, "Content-Length", value, sizeof(value)))
		return 0;
	if (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0')
		return 400;
	length = strtoull(value, NULL, 10);
	if (length > HTTP_BODY_MAX)
		return 413;
	*ret_length = length;
	return 0;
}

bool request_line_read(const char *head, struct http_request *request, int *ret_minor)
{
	char *question;

	request->query = "";
	if (sscanf(head, "%15[A-Z] %2047[!-~] HTTP/1.%1d\r\n", request->method, request->target,
		   ret_minor) != 3)
		return false;
	question = strchr(request->target, '?');
	if (question) {
		*question = '\0';
		request->query = question + 1;
	}
	return request->target[0] == '/';
}

bool request_keeps_alive(const char *head, int minor)
{
	char value[32] = "";

	header_find(head, "Connection", value, sizeof(value));
	return minor > 0 ? strcasecmp(value, "close") != 0 : strcasecmp(value, "keep-alive") == 0;
}

bool request_expects(const char *head)
{
	char value[32];

	return header_find(head, "Expect", value, sizeof(value));
}
