#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What stays of an instance that has ended: of a failed one for a time, of an expired one as a file.

load helper

# A server of hello's install that writes there, then ends with this status.
failing()
{
	cat >"$STINT_ROOT/etc/stint/templates/$1.yaml" <<EOF
template: $1
extends: hello
run: {command: [sh, -c, 'cd $STINT_BUILD/share/stint/hello && echo mine >new && echo "$2" && rm -f hello.conf && sleep ${4-0.2} && exit $3']}
ready: none
EOF
}

is_kept()
{
	[ "$(stint ls -a --json | jq -r ".[] | select(.name == \"$1\").state")" = kept ]
}

@test "a failed instance is kept when asked: logs, diff and cp show it, nothing else is left" {
	failing bad 'last words' 3
	before=$(find "$STINT_BUILD/share/stint/hello" -type f -exec sha256sum {} + | sort)
	stint up bad --name web --keep-failed 1h
	eventually 5 is_kept web
	[ "$(stint ls)" = "no instances" ]
	[[ $(stint ls -a) == *"web "*" kept "*" 59m "* ]]
	[[ $(stint show web) == *"kept until"* ]]
	[ "$(stint logs web)" = "last words" ]
	[[ $(stint diff web) == *"A $STINT_BUILD/share/stint/hello/new"* ]]
	stint cp "web:$STINT_BUILD/share/stint/hello/new" "$STINT_ROOT/copy"
	[ "$(cat "$STINT_ROOT/copy")" = mine ]
	# what it did not change is the install's
	stint cp "web:$STINT_BUILD/share/stint/hello" "$STINT_ROOT/all"
	[ -n "$(ls "$STINT_ROOT/all")" ]
	run stint cp "$STINT_ROOT/copy" "web:/tmp/x"
	[ "$status" -ne 0 ]
	[[ $output == *"has ended"* ]]
	run stint exec web -- true
	[ "$status" -ne 0 ]
	[ -z "$(processes_left)" ]
	[ -z "$(ls "$STINT_ROOT/run/stint/i")" ]
	[ "$(stint history web --json | jq -r 'length, .[0].reason')" = \
		"$(printf '1\nserver exited with status 3')" ]
	# it is no lost instance: a sweep leaves it, a restart of the host too
	stint sweep
	is_kept web
	sqlite3 "$STINT_ROOT/var/lib/stint/store.db" "UPDATE instance SET boot_id = 'another'"
	stint sweep
	is_kept web
	run stint up hello --name web
	[ "$status" -ne 0 ]
	stint up hello --name web --recreate
	[ "$(state_of web)" = ready ]
	stint down web
	[ "$(stint ls -a)" = "no instances" ]
	[ "$(stint history web --json | jq length)" -eq 2 ]
	[ "$before" = "$(find "$STINT_BUILD/share/stint/hello" -type f -exec sha256sum {} + | sort)" ]
}

@test "what is kept goes when its time is over, and when it is taken down" {
	failing bad words 1
	for name in a b; do
		stint up bad --name "$name" --keep-failed "$([ "$name" = a ] && echo 1s || echo 1h)"
	done
	eventually 5 is_kept b
	gone() { ! stint ls -a -q | grep -qx a; }
	eventually 8 gone
	stint down b
	[ "$(stint ls -a)" = "no instances" ]
	[ -z "$(ls "$STINT_ROOT/var/lib/stint/i")" ]
}

@test "what ended as it should is not kept, and neither is anything without asking" {
	failing good words 0
	failing bad words 1
	stint up good --name good --keep-failed 1h
	stint up hello --name down --keep-failed 1h
	stint up hello --name expired --keep-failed 1h --ttl 1s
	stint up bad --name bad
	stint down down
	gone() { [ "$(stint ls -a)" = "no instances" ]; }
	eventually 8 gone
}

@test "a failed start is kept, and up says so; a killed keeper's instance too" {
	failing never words 1 0
	sed -i 's/ready: none/ready: {log: nothing}/' "$STINT_ROOT/etc/stint/templates/never.yaml"
	run stint up never --name web --keep-failed 1h
	[ "$status" -ne 0 ]
	[[ $output == *"kept for 1h"*"stint logs web"* ]]
	is_kept web
	printf 'template: keeping\nextends: hello\nlease: {keep_failed: 1h}\n' \
		>"$STINT_ROOT/etc/stint/templates/keeping.yaml"
	stint up keeping --name lost
	kill -KILL "$(processes_of stint-keeper lost | head -n 1)"
	stint sweep
	is_kept lost
	[ "$(stint history lost --json | jq -r '.[0].reason')" = "keeper lost" ]
}

@test "what is kept with a limit of disk is not in memory" {
	failing bad words 1
	stint up bad --name web --keep-failed 1h --disk 32M
	eventually 8 is_kept web
	[[ $(stint diff web) == *"A $STINT_BUILD/share/stint/hello/new"* ]]
	[ "$(stint cp "web:$STINT_BUILD/share/stint/hello/new" -)" = mine ]
	stint down web
}

@test "on_expiry archive: what it wrote is packed, and then nothing is left" {
	cat >"$STINT_ROOT/etc/stint/templates/packed.yaml" <<EOF
template: packed
extends: hello
lease: {on_expiry: archive}
EOF
	stint up packed --name web --ttl 2s
	get -X PUT --data "worth it" "http://127.0.0.1:$(port_of web)/flow/mine"
	id=$(id_of web)
	gone() { [ "$(stint ls -a)" = "no instances" ]; }
	eventually 8 gone
	[ "$(reason_of web)" = "expired; archived" ]
	[ "$(stint events web --json | jq -rs '.[] | select(.event == "archived") | .detail')" = \
		"archive/web-$id.tar" ]
	archive=$STINT_ROOT/var/lib/stint/archive/web-$id.tar
	[ "$(stat -c %a "$archive")" = 600 ]
	file=$(tar -tf "$archive" | grep -v '/$' | grep mine)
	[[ $file == "${STINT_BUILD#/}/share/stint/hello/"* ]]
	[ "$(tar -xOf "$archive" "$file")" = "worth it" ]
	tar -xOf "$archive" log | grep -q 'hello: listening'
	# one that is taken down was not wanted
	stint up packed --name other
	stint down other
	[ "$(find "$STINT_ROOT/var/lib/stint/archive" -type f | wc -l)" -eq 1 ]
	# archives go as well, when they are old
	touch -d '31 days ago' "$archive"
	stint sweep
	[ ! -e "$archive" ]
}

@test "what cannot be packed is kept instead, and the reason says so" {
	printf 'template: packed\nextends: hello\nlease: {on_expiry: archive}\n' \
		>"$STINT_ROOT/etc/stint/templates/packed.yaml"
	touch "$STINT_ROOT/var/lib/stint/archive" 2>/dev/null ||
		{ mkdir -p "$STINT_ROOT/var/lib/stint" && touch "$STINT_ROOT/var/lib/stint/archive"; }
	stint up packed --name web --ttl 1s
	eventually 8 is_kept web
	[[ $(stint history web --json | jq -r '.[0].reason') == "expired; not archived: "* ]]
	rm "$STINT_ROOT/var/lib/stint/archive"
	stint down web
}
