/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows: small texts that are deployed into packages/ below the install, one file each, and run
 * by asking for them. What is deployed into one instance is how it is told from another.
 */
#ifndef HELLO_FLOW_H
#define HELLO_FLOW_H

#include "http.h"

/*
 * Each answers one request about flows; home is the install directory. name is what the client
 * sent: anything but a plain file name of letters, digits, '.', '_' and '-' is refused.
 */
void flow_run(int home, const char *name, struct http_response *response);
void flow_list(int home, struct http_response *response);
/* These two return whether the flow is deployed or removed. */
bool flow_deploy(int home, const char *name, const struct http_request *request,
		 struct http_response *response);
bool flow_remove(int home, const char *name, struct http_response *response);

#endif
