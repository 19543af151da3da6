#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A store that is damaged, lost or cannot be written: what is said, and what brings it back.
load helper

store()
{
	echo "$STINT_ROOT/var/lib/stint/store.db$1"
}

# What a disk makes of a file at times.
damage()
{
	dd if=/dev/urandom of="$(store)" bs=4096 count=3 conv=notrunc status=none
	rm -f "$(store -wal)" "$(store -shm)"
}

facts()
{
	stint show "$1" --json | jq -c '[.name, .id, .owner, .zone, .address, .address6, .id_base, .ports,
		.deadline_set_by, .deadline, .plan, .state]'
}

@test "a damaged store is said to be, by every command, and rebuilt with all that runs" {
	stint zone add shop --tier dev
	stint up hello --name web --ttl 1h --zone shop
	stint up hello --name other
	stint extend other +1h
	stint down other
	stint up hello --name other --until "$(date -d '+2 hours' +%FT%T)"
	stint extend web +10m
	web=$(facts web) other=$(facts other)
	damage
	for command in "ls" "up hello" "down web" "extend web +1m" "show web" "history" "sweep"; do
		# shellcheck disable=SC2086 # words
		run stint $command
		[ "$status" -ne 0 ]
		[[ $output == *"$(store)"*"is damaged"*"stint doctor --rebuild"* ]]
	done
	run stint doctor --rebuild
	[ "$status" -eq 0 ]
	[[ $output == *"set aside: $(store).damaged-"*"back: "*"back: "* ]]
	[ "$(find "$STINT_ROOT/var/lib/stint" -name 'store.db.damaged-*' | wc -l)" -ge 1 ]
	[ "$(facts web)" = "$web" ]
	[ "$(facts other)" = "$other" ]
	[ "$(stint zone show shop --json | jq -r .tier)" = dev ]
	[ "$(get "http://127.0.0.1:$(port_of web)/health/readiness")" = '{"status":"UP"}' ]
	stint extend web +5m
	stint exec other -- true
	# what it gives out next is nobody's
	stint up hello --name third
	[ "$(stint ls --json | jq '[.[].address] | unique | length')" -eq 3 ]
	[ "$(stint ls --json | jq '[.[].id_base] | unique | length')" -eq 3 ]
	stint down web other third
	stint doctor --leaks
}

@test "a lost store is rebuilt, what has no keeper ends, what is kept stays" {
	printf 'template: bad\nextends: hello\nrun: {command: [sh, -c, "exit 3"]}\nready: none\n' \
		>"$STINT_ROOT/etc/stint/templates/bad.yaml"
	stint up bad --name kept --keep-failed 1h || true
	kept() { stint ls -a | grep -q '^kept .* kept '; }
	eventually 5 kept
	stint up hello --name web
	stint up hello --name lost
	kill -KILL "$(processes_of stint-keeper lost | head -n 1)"
	rm -f "$(store)" "$(store -wal)" "$(store -shm)"
	stint doctor --rebuild
	[ "$(stint ls -q)" = web ]
	kept
	[[ $(stint ls -a -q) != *lost* ]]
	stint down web kept
	stint sweep
	stint doctor --leaks
}

@test "a sweep after the store was lost ends nothing that lives, and enters it again" {
	printf 'template: bad\nextends: hello\nrun: {command: [sh, -c, "exit 3"]}\nready: none\n' \
		>"$STINT_ROOT/etc/stint/templates/bad.yaml"
	stint up bad --name kept --keep-failed 1h || true
	kept() { stint ls -a | grep -q '^kept .* kept '; }
	eventually 5 kept
	stint up hello --name web --ttl 1h
	before=$(facts web)
	rm -f "$(store)" "$(store -wal)" "$(store -shm)"
	stint sweep
	[ "$(facts web)" = "$before" ]
	kept
	stint down web kept
	stint sweep
	stint doctor --leaks
}

@test "a sound store is left alone" {
	stint up hello --name web
	before=$(sqlite3 "$(store)" .dump | md5sum)
	run stint doctor --rebuild
	[ "$status" -eq 0 ]
	[ "$output" = "the store is sound and knows every instance; nothing was done" ]
	[ "$(sqlite3 "$(store)" .dump | md5sum)" = "$before" ]
	[ "$(stint doctor --rebuild --json | jq -c .)" = '{"set_aside":null,"back":[],"lost":[]}' ]
}

@test "a store that somebody else holds for long is said to be in use" {
	stint up hello --name web
	mkfifo "$BATS_TEST_TMPDIR/hold"
	sqlite3 "$(store)" <"$BATS_TEST_TMPDIR/hold" >/dev/null 3>&- &
	exec 8>"$BATS_TEST_TMPDIR/hold"
	echo 'BEGIN IMMEDIATE;' >&8
	sleep 0.5
	run stint extend web +1m
	exec 8>&-
	[ "$status" -ne 0 ]
	[[ $output == *"$(store)"*"was in use by others for 10 s"* ]]
	stint extend web +1m
}

@test "a copy of a record that is damaged brings nothing back, and is named" {
	stint up hello --name web
	id=$(id_of web)
	damage
	printf 'rubbish' >"$STINT_ROOT/var/lib/stint/i/$id/record"
	run stint doctor --rebuild
	[[ $output == *"lost: $id: "* ]]
	[ "$(stint ls)" = "no instances" ]
	stint doctor --leaks
}
