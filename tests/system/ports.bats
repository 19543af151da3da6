#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Published ports: where they are bound, what "stint port" says of them, and what goes through.

load helper

port_field()
{
	stint port "$1" --json | jq -r ".[0].$2"
}

@test "a port is published on the address that was given, and port prints it" {
	local form
	local -A forms=(
		["http"]=127.0.0.1
		["127.0.0.2:0:http"]=127.0.0.2
		["0.0.0.0:0:http"]=0.0.0.0
		["[::1]:0:http"]=::1
		["[::]:0:http"]=::
	)

	for form in "${!forms[@]}"; do
		stint up hello --name p -p "$form"
		[ "$(port_field p address)" = "${forms[$form]}" ]
		[ "$(port_field p name)" = http ]
		[ "$(port_field p inside_port)" -eq 5555 ]
		stint port p | grep -F "${forms[$form]}" | grep -wF "$(port_field p port)"
		get "$(port_field p url)/" >/dev/null
		stint down p --now
	done
}

@test "a published port stays on loopback unless another address is named" {
	local address port

	address=$(ip -4 -o address show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
	[ -n "$address" ] || skip "this host has loopback only"
	stint up hello --name p -p http
	port=$(port_field p port)
	run ! curl -sS --max-time 5 "http://$address:$port/"
	stint up hello --name q -p "0.0.0.0:0:http"
	get "http://$address:$(port_field q port)/" >/dev/null
}

@test "what cannot be bound is refused with the reason" {
	refused 1 "192.0.2.77 is no address of this host" up hello -p 192.0.2.77:0:http
	refused 1 "link" up hello -p "[fe80::1]:0:http"
	refused 2 "no IP address" up hello -p nowhere:1:http
	stint up hello --name p
	refused 1 "port $(port_field p port) on 127.0.0.1 is in use" \
		up hello -p "$(port_field p port):http"
	refused 3 "nobody" port nobody
}
