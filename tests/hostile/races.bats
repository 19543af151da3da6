#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Races: inside, names change places all the time, or every new process is reached for, while
# commands outside work on the instance. HOSTILE_ROUNDS is how often, for what costs a system call;
# a command outside is worth twenty of them, a start a hundred.
load hostile

COMMANDS=$((HOSTILE_ROUNDS / 20))
STARTS=$((HOSTILE_ROUNDS / 100))

start_bait()
{
	mkdir "$STINT_ROOT/canary"
	echo canary >"$STINT_ROOT/canary/file"
	before=$(picture)
}

# Of what a race would touch: the file on the host, and stint itself.
picture()
{
	find "$STINT_ROOT/canary" "$INSTALL" -printf '%p %y %m %U %G %s %T@\n' | sort
	sha256sum "$STINT_ROOT/canary/file" "$STINT" "$STINT_BUILD/libexec/stint/stint-keeper"
}

# A directory changes places with a link to the host's: exchange_with_link USER
start_exchange()
{
	hostile h "$USER_INSIDE" wait
	stint up h --name h
	stint exec h --user 0 -- sh -c "mkdir -p $STINT_ROOT /tmp/x/dir && chmod 0777 /tmp/x /tmp/x/dir &&
		echo own >/tmp/x/dir/file && ln -s $STINT_ROOT/canary /tmp/x/link"
	"$STINT" exec h --user 0 -- "$ATTACK" exchange /tmp/x/dir /tmp/x/link 3>&- &
	EXCHANGE=$!
}

end_exchange()
{
	stint down h --now
	wait "$EXCHANGE" || true
	[ "$(picture)" = "$before" ]
}

@test "what is copied in never lands on the host" {
	echo new >"$STINT_ROOT/new"
	start_exchange
	for ((i = 0; i < COMMANDS; i++)); do
		stint cp "$STINT_ROOT/new" h:/tmp/x/dir/file 2>/dev/null || true
		stint cp "$STINT_ROOT/new" "h:/tmp/x/link/other" 2>/dev/null || true
	done
	end_exchange
}

@test "what is copied out never comes from the host" {
	start_exchange
	for ((i = 0; i < COMMANDS; i++)); do
		text=$(stint cp h:/tmp/x/dir/file - 2>/dev/null) || true
		[ -z "$text" ] || [ "$text" = own ]
	done
	end_exchange
}

@test "a command's program that changes places with init's is not init's" {
	start_exchange
	stint exec h --user 0 -- sh -c "cp $ATTACK /tmp/x/program && ln -s /proc/self/exe /tmp/x/init &&
		printf '#!/proc/self/exe\n' >/tmp/x/script && chmod 0755 /tmp/x/script"
	"$STINT" exec h --user 0 -- "$ATTACK" exchange /tmp/x/program /tmp/x/init 3>&- &
	second=$!
	for ((i = 0; i < COMMANDS; i++)); do
		text=$(stint exec h -- /tmp/x/program whoami 2>/dev/null) || text=
		[ -z "$text" ] || [ "$text" = "user $USER_INSIDE, group $USER_INSIDE." ]
	done
	# the way of CVE-2019-5736: a script whose interpreter is who executes it
	run stint exec h -- /tmp/x/script
	echo "$output"
	[ "$status" -eq 126 ]
	end_exchange
	wait "$second" || true
}

@test "no process on its way from init to a command can be looked into" {
	hostile h "$USER_INSIDE" wait
	stint up h --name h
	"$STINT" exec h -- "$ATTACK" watch >"$STINT_ROOT/watch" 3>&- &
	first=$!
	"$STINT" exec h --user 0 -- "$ATTACK" watch >"$STINT_ROOT/watch0" 3>&- &
	second=$!
	for ((i = 0; i < COMMANDS; i++)); do
		stint exec h --user $((i % 2 * USER_INSIDE)) -- "$ATTACK" whoami >/dev/null
	done
	stint down h --now
	wait "$first" "$second" || true
	cat "$STINT_ROOT/watch" "$STINT_ROOT/watch0"
	[ ! -s "$STINT_ROOT/watch" ]
	[ ! -s "$STINT_ROOT/watch0" ]
	[ "$(picture)" = "$before" ]
}

@test "an install that changes places with a link while it is started shows and changes nothing else" {
	mkdir "$STINT_ROOT/shared"
	mv "$INSTALL" "$STINT_ROOT/shared/app"
	ln -s "$STINT_ROOT/canary" "$STINT_ROOT/shared/link"
	INSTALL=$STINT_ROOT/shared/app
	ATTACK=$INSTALL/bin/hostile-probe
	hostile h "$USER_INSIDE" whoami
	before=$(find "$STINT_ROOT/canary" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort)
	"$HOSTILE" exchange "$STINT_ROOT/shared/app" "$STINT_ROOT/shared/link" 3>&- &
	exchange=$!
	for ((i = 0; i < STARTS; i++)); do
		stint run h >/dev/null 2>&1 || true
	done
	kill "$exchange"
	wait "$exchange" || true
	[ "$(find "$STINT_ROOT/canary" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort)" = "$before" ]
}
