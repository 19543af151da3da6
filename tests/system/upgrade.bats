#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A newer stint is installed while instances run: it works with keepers that speak the version
# before (older), and ends those of which it understands nothing (foreign).
load helper

# older COMMAND...: the program of the version before, with its keeper; foreign likewise
older()
{
	timeout --foreground -s KILL $((100 * SLOW)) "$STINT_BUILD/older/bin/stint" "$@"
}

foreign()
{
	timeout --foreground -s KILL $((100 * SLOW)) "$STINT_BUILD/foreign/bin/stint" "$@"
}

@test "what an older keeper keeps is seen, used, extended and ended" {
	older up hello --name a --ttl 10m
	[[ $(head -n 1 "$STINT_ROOT"/run/stint/i/*/status) == "1 "* ]]
	[ "$(state_of a)" = ready ]
	[ "$(stint ls -q)" = a ]
	[ "$(stint exec a -- echo inside)" = inside ]
	[[ $(stint logs a) == *"listening on port"* ]]
	get "http://127.0.0.1:$(port_of a)/" >/dev/null
	stint extend a +1h
	[ "$(stint show a --json | jq '.left_seconds > 3600')" = true ]
	stint diff a
	stint port a
	stint down a
	[ "$(reason_of a)" = "stopped by root" ]
	[ "$(stint history a --json | jq '.[0].exit_status')" = 0 ]
	older up hello --name k
	stint down k --now
	[ "$(reason_of k)" = "stopped by root" ]
}

@test "what is newer than an older keeper is refused with the reason, and nothing happens to it" {
	older up hello --name a --ttl 10m --idle 1h
	refused 5 "started by an older stint, whose keeper cannot do that" extend a +1h
	[ "$(state_of a)" = ready ]
	[ "$(stint show a --json | jq '.left_seconds < 601')" = true ]
	stint down a
}

@test "an older keeper ends its instance in time, and a command that is tied to it goes on" {
	older up hello --name e --ttl 2s
	older run hello --name r -- sleep 3 &
	eventually 5 is_state r ready
	[ "$(stint ls -q | sort | tr '\n' ' ')" = "e r " ]
	gone() { [ "$(stint ls -q)" = r ]; }
	eventually 6 gone
	[ "$(reason_of e)" = expired ]
	wait $!
	[ "$(reason_of r)" = "its command has ended" ]
}

@test "a newer keeper is used by an older program where both know how" {
	stint up hello --name n --ttl 10m
	[ "$(older exec n -- echo inside)" = inside ]
	older down n
	[ "$(reason_of n)" = "stopped by root" ]
}

@test "of a keeper that understands nothing the instance is seen, and ended by down" {
	foreign up hello --name f --ttl 10m
	[ "$(state_of f)" = ready ]
	get "http://127.0.0.1:$(port_of f)/" >/dev/null
	refused 5 "another version of stint, whose keeper cannot do that; 'stint down' ends it" \
		extend f +1h
	stint down f
	[ "$(reason_of f)" = "stopped by root" ]
	nothing_left
	foreign up hello --name g --ttl 10m
	stint down --all --now
	[ "$(reason_of g)" = "stopped by root" ]
	nothing_left
	foreign up hello --name h
	stint up hello --name h --recreate
	[ "$(reason_of h)" = "replaced by --recreate" ]
}

@test "a program and a keeper of different builds do not start anything together" {
	mkdir -p "$STINT_ROOT"/mixed/{bin,libexec/stint}
	ln -s "$STINT_BUILD/share" "$STINT_ROOT/mixed/share"
	cp "$STINT" "$STINT_ROOT/mixed/bin/"
	cp "$STINT_BUILD/foreign/libexec/stint/stint-keeper" "$STINT_ROOT/mixed/libexec/stint/"
	run timeout 60 "$STINT_ROOT/mixed/bin/stint" up hello --name m
	echo "$output"
	[ "$status" -ne 0 ]
	nothing_left
	[[ $(reason_of m) == "failed to start: "* ]]
}
