#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A real client on real servers, through zones: a Node-RED that posts to Tomcats, one on another host
# and one in another zone of this one. Both hosts are network namespaces of the test's own.
load helper
load network

setup()
{
	set_up
	ELSEWHERE=$(mktemp -d /tmp/stint-test.XXXXXX)
	setup_network
}

teardown()
{
	elsewhere down --all --now >/dev/null 2>&1 || true
	elsewhere sweep >/dev/null 2>&1 || true
	teardown_network
	rm -rf "$ELSEWHERE"
	clean_up
}

# stint on the other host, which has directories of its own.
elsewhere()
{
	at "$OUTSIDE" env STINT_ROOT="$ELSEWHERE" timeout -s KILL 100 "$STINT" "$@"
}

# A page that says what was posted to it.
echo_page()
{
	echo '<%= request.getMethod() + " " + request.getReader().readLine() %>'
}

# A flow that posts "order 7" to the address in its query, and answers with status and body.
deploy_poster()
{
	on_host curl -sf --max-time 20 -X POST -H 'Content-Type: application/json' \
		-H 'Node-RED-Deployment-Type: full' --data '[
		{"id":"t","type":"tab","label":"t"},
		{"id":"i","type":"http in","z":"t","url":"/post","method":"get","wires":[["f"]]},
		{"id":"f","type":"function","z":"t","outputs":1,"wires":[["r"]],
		 "func":"msg.url = msg.req.query.to; msg.payload = \"order 7\"; return msg;"},
		{"id":"r","type":"http request","z":"t","method":"POST","ret":"txt","url":"","wires":[["g"]]},
		{"id":"g","type":"function","z":"t","outputs":1,"wires":[["o"]],
		 "func":"msg.payload = msg.statusCode + \" \" + msg.payload; msg.statusCode = 200; return msg;"},
		{"id":"o","type":"http response","z":"t"}]' \
		"http://127.0.0.1:$(stint show red --json | jq '.ports[0].port')/flows" >/dev/null
}

# What came of a post from the Node-RED: posted ADDRESS
posted()
{
	on_host curl -sf --max-time 30 -G --data-urlencode "to=http://$1:8080/echo.jsp" \
		"http://127.0.0.1:$(stint show red --json | jq '.ports[0].port')/post"
}

is_denied()
{
	[[ "$(posted "$1")" == E[A-Z]* ]]
}

is_taken()
{
	[ "$(posted "$1" | tr -s '\n ' ' ')" = "200 POST order 7 " ] ||
		[ "$(posted "$1" | tr -s '\n ' ' ')" = "200 POST order 7" ]
}

@test "a Node-RED reaches a Tomcat of another host while its zone says so, and one of another zone never" {
	local other

	elsewhere up tomcat --name far -p 0.0.0.0:8080:http
	stint zone add red
	stint zone add tom --peers allow
	stint up tomcat --name near --zone tom
	stint up node-red --name red --zone red
	echo_page | elsewhere cp - far:/var/lib/tomcat10/webapps/ROOT/echo.jsp
	echo_page | stint cp - near:/var/lib/tomcat10/webapps/ROOT/echo.jsp
	deploy_poster
	other=$(address_of near)
	eventually 30 is_denied "$PRIVATE4"
	is_denied "$other"
	stint zone set red --egress "$PRIVATE4:8080"
	eventually 30 is_taken "$PRIVATE4"
	is_denied "$other"
	stint zone set red --egress 0.0.0.0/0
	is_taken "$PRIVATE4"
	is_denied "$other"
	stint zone set red --egress none
	is_denied "$PRIVATE4"
	is_denied "$other"
}
