#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# nginx, PostgreSQL and RabbitMQ of the distribution do real work, each from the template that comes
# with stint; scripts/servers has put them there.
load helper
load servers/work

# What a server of the host left in these must not be seen, and what an instance writes not be there.
host_state()
{
	find /etc/nginx /var/www /var/lib/postgresql /var/lib/rabbitmq /etc/rabbitmq -xdev \
		-printf '%p %y %m %U %G %s %T@\n' | sort | sha256sum
}

answers()
{
	[ "$(get "http://127.0.0.1:$(port_of "$1")$2" 2>/dev/null)" = "$3" ]
}

logged()
{
	stint logs "$1" 2>&1 | grep -qF "$2"
}

@test "nginx serves its own pages and its own configuration" {
	before=$(host_state)
	stint up nginx --name w1
	stint up nginx --name w2
	echo "page of w1" | stint cp - w1:/var/www/html/page.txt
	answers w1 /page.txt "page of w1"
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$(port_of w2)/page.txt")" = 404 ]
	echo 'server { listen 8080; server_name mine; return 200 "mine\n"; }' |
		stint cp - w2:/etc/nginx/conf.d/mine.conf
	stint exec w2 -- sh -c 'kill -HUP $(cat /tmp/nginx.pid)'
	mine() { [ "$(get -H 'Host: mine' "http://127.0.0.1:$(port_of w2)/")" = mine ]; }
	eventually 20 mine
	# both kinds of its log
	eventually 10 logged w2 'GET /page.txt HTTP/1.1" 404'
	eventually 10 logged w2 'open() "/var/www/html/page.txt" failed'
	[ "$(host_state)" = "$before" ]
	stint down w1 w2
	[ "$(stint history --json | jq -r '.[0].reason')" = "stopped by root" ]
	nothing_left
	[ "$(host_state)" = "$before" ]
}

@test "PostgreSQL carries a workload, and each instance has a database of its own" {
	before=$(host_state)
	stint up postgresql --name d1
	stint up postgresql --name d2 --set password=other
	sql d1 'create table t (n integer, words text)'
	sql d1 "insert into t select n, 'row ' || n from generate_series(1, 10000) n"
	[ "$(sql d1 'select count(*), sum(n), max(words) from t')" = "10000|50005000|row 9999" ]
	run ! sql d2 'select 1'
	PGPASSWORD=other run sql d2 'select count(*) from t'
	[[ $output == *'relation "t" does not exist'* ]]
	pgbench d1 -i -q
	run -0 pgbench d1 -c 4 -j 2 -t 100
	[[ $output == *"transactions actually processed: 400/400"* ]]
	[ "$(stint exec d1 -- psql -qAtX -c 'select count(*) from pgbench_history')" = 400 ]
	# larger than what fits its buffers, sorted by several processes through shared memory
	[ "$(sql d1 'set work_mem = "64kB"; select count(*) from (select distinct md5(n::text)
		from generate_series(1, 200000) n order by 1) s')" = 200000 ]
	stint down d1 d2
	nothing_left
	[ "$(host_state)" = "$before" ]
}

@test "RabbitMQ passes messages on, and each instance is a broker of its own" {
	before=$(host_state)
	"$STINT" up rabbitmq --name b1 >/dev/null 2>&1 3>&- &
	"$STINT" up rabbitmq --name b2 >/dev/null 2>&1 3>&- &
	wait
	[ "$(api b1 GET overview | jq -r .node)" = "rabbit@$(id_of b1)" ]
	api b1 PUT queues/%2f/orders '{"durable": true}'
	for n in 1 2 3; do
		[ "$(publish b1 "order $n")" = '{"routed":true}' ]
	done
	[ "$(take b1)" = "order 1" ]
	[ "$(take b1)" = "order 2" ]
	[ "$(publish b2 "order 4")" = '{"routed":false}' ]
	# a client of the protocol itself: one order is left from above
	[ "$(amqp b1 get -q orders)" = "order 3" ]
	amqp b1 publish -p -r orders -b "order 5"
	[ "$(amqp b1 get -q orders)" = "order 5" ]
	run -2 amqp b1 get -q orders
	amqp b1 publish -p -r orders -b "order 6"
	# the tool that comes with it speaks to it as another node
	run -0 stint exec b1 -- /usr/lib/rabbitmq/bin/rabbitmqctl -q list_queues name messages
	[[ $output == *orders*1* ]]
	stint down b1 b2
	[ "$(stint history --json | jq -r '.[].reason' | sort -u)" = "stopped by root" ]
	nothing_left
	[ "$(host_state)" = "$before" ]
}
