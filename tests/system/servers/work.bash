# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Work for the real servers, done from the host through their published ports.

PGPASSWORD=stint
export PGPASSWORD

# sql INSTANCE STATEMENT: prints the rows.
sql()
{
	timeout 60 psql -qAtX -h 127.0.0.1 -p "$(port_of "$1" postgresql)" -U postgres -c "$2"
}

# pgbench INSTANCE OPTION...
pgbench()
{
	timeout 100 "$(pg_config --bindir)/pgbench" -h 127.0.0.1 -p "$(port_of "$1" postgresql)" \
		-U postgres "${@:2}" postgres
}

# api INSTANCE METHOD PATH [BODY]: of the broker's management.
api()
{
	get -u stint:stint -X "$2" -H 'Content-Type: application/json' ${4+--data "$4"} \
		"http://127.0.0.1:$(port_of "$1")/api/$3"
}

publish()
{
	api "$1" POST exchanges/%2f/amq.default/publish \
		'{"properties": {}, "routing_key": "orders", "payload": "'"$2"'",
		"payload_encoding": "string"}'
}

take()
{
	api "$1" POST queues/%2f/orders/get \
		'{"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}' |
		jq -r '.[].payload'
}

# amqp INSTANCE publish|get OPTION...: through its other port, in the protocol of its clients.
amqp()
{
	timeout 30 "amqp-$2" -s 127.0.0.1 --port="$(port_of "$1" amqp)" --username=stint \
		--password=stint "${@:3}"
}

# A flow that answers "flow of INSTANCE" at /mine: deploy_flow INSTANCE
deploy_flow()
{
	get -X POST -H 'Content-Type: application/json' -H 'Node-RED-Deployment-Type: full' \
		--data '[{"id":"t","type":"tab","label":"t"},
			{"id":"i","type":"http in","z":"t","url":"/mine","method":"get","wires":[["f"]]},
			{"id":"f","type":"function","z":"t","func":"msg.payload = \"flow of '"$1"'\"; return msg;","outputs":1,"wires":[["o"]]},
			{"id":"o","type":"http response","z":"t"}]' \
		"http://127.0.0.1:$(port_of "$1")/flows"
}
