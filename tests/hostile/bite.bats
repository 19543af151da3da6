#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whether the attempts bite: with exactly those protections taken out that stand in its way, each
# succeeds, or reaches the kernel whose flaw is mended. Needs a weak build (STINT_WEAKEN=ON).
load hostile

# The attempts that need just these words, where they are made with the most power, and without.
attempts_without()
{
	local words=$1

	hostile root root run "with:$words"
	hostile user "$USER_INSIDE" run "with:$words"
	for user in root user; do
		STINT_WEAKEN=$words stint_of_systemd run "$user" || return
	done
}

# Those that bit nowhere.
toothless()
{
	awk -F '\t' 'FNR == NR { name[$1]; next }
		{ split($0, answer, " "); if (answer[2] == "SUCCEEDED" || answer[2] == "reached") delete name[answer[1]] }
		END { for (n in name) print n }' <("$HOSTILE" list | awk -F '\t' '$3 != "-"') "$1" | sort
}

# What is attempted is no part of this host's kernel: the host's root gets the same answer.
host_has_not()
{
	local answer="^$1 denied \(ENOSYS\|ENOENT\|EOPNOTSUPP\)$"

	grep -q "$answer" "$STINT_ROOT/report" && "$ATTACK" run "$1" | grep "$answer"
}

@test "each attempt bites when what stands in its way is taken out" {
	local words failed=0

	for words in $("$HOSTILE" list | cut -f 3 | sort -u); do
		[ "$words" != - ] || continue
		attempts_without "$words" >>"$STINT_ROOT/report" 2>"$STINT_ROOT/errors" || {
			echo "without $words: $(cat "$STINT_ROOT/errors")"
			failed=1
		}
	done
	toothless "$STINT_ROOT/report" >"$STINT_ROOT/toothless"
	while read -r name; do
		host_has_not "$name" || {
			failed=1
			"$HOSTILE" list | grep -P "^$name\t"
			grep "^$name " "$STINT_ROOT/report" || echo "$name: no answer"
		}
	done <"$STINT_ROOT/toothless"
	[ "$failed" = 0 ]
}

# Words without that one.
but()
{
	tr , '\n' <<<"$1" | grep -vx "$2" | paste -sd ,
}

@test "none of them can be left in: each holds alone what is attempted" {
	local words word user

	for words in $("$HOSTILE" list | cut -f 3 | grep , | sort -u); do
		hostile root root run "with:$words"
		hostile user "$USER_INSIDE" run "with:$words"
		for word in ${words//,/ }; do
			[ "$word" != landlock ] || stint doctor | grep -q 'ok *Landlock' || continue
			for user in root user; do
				echo "of $words only $word is there, for $user"
				STINT_WEAKEN=$(but "$words" "$word") stint_of_systemd run "$user" \
					>"$STINT_ROOT/report" 2>"$STINT_ROOT/errors" || {
					cat "$STINT_ROOT/errors"
					return 1
				}
				run ! grep ' SUCCEEDED \| reached ' "$STINT_ROOT/report"
			done
		done
	done
}

@test "without a filter the calls get other answers" {
	cp "$BATS_TEST_DIRNAME/../golden/seccomp-default" "$INSTALL"
	hostile h "$USER_INSIDE" sweep "$INSTALL/seccomp-default"
	STINT_WEAKEN=seccomp run stint run h
	echo "${lines[-1]}"
	[ "$status" -eq 1 ]
	[ "${lines[-1]%% *}" -gt 500 ]
}

@test "a link leads cp to the host where paths are followed as they are" {
	mkdir "$STINT_ROOT/canary"
	hostile h root wait
	stint up h --name h
	stint exec h -- ln -s "$STINT_ROOT/canary" /tmp/link
	echo new >"$STINT_ROOT/new"
	run ! stint cp "$STINT_ROOT/new" h:/tmp/link/file
	[ ! -e "$STINT_ROOT/canary/file" ]
	STINT_WEAKEN=resolve stint cp "$STINT_ROOT/new" h:/tmp/link/file
	[ -e "$STINT_ROOT/canary/file" ]
}

@test "a mount lands where a link leads when it is followed as it is" {
	mkdir -p "$STINT_ROOT/view" "$STINT_ROOT/canary/sub"
	ln -s "$STINT_ROOT/canary" "$STINT_ROOT/view/link"
	hostile h "$USER_INSIDE" whoami
	echo "paths: [$STINT_ROOT/view, $STINT_ROOT/view/link/sub]" \
		>>"$STINT_ROOT/etc/stint/templates/h.yaml"
	refused 125 "No such file or directory" run h
	STINT_WEAKEN=resolve stint run h
}

@test "a process that can be looked into is" {
	hostile h root watch
	STINT_WEAKEN=dumpable,caps,landlock run stint run h
	echo "$output"
	[[ $output == *"race-exec SUCCEEDED /proc/"* ]]
}

@test "a script's interpreter is the keeper's program where nothing but its place forbids it" {
	hostile h root wait
	STINT_WEAKEN=landlock stint up h --name h
	stint exec h -- sh -c "printf '#!/proc/self/exe\n' >/tmp/script && chmod 0755 /tmp/script"
	run stint exec h -- /tmp/script
	echo "$status $output"
	[ "$status" -ne 126 ]
}

@test "where directories are open to everybody, the users of the host look into them" {
	hostile h "$USER_INSIDE" wait
	STINT_WEAKEN=places stint up h --name h
	chmod 0755 "$STINT_ROOT" "$STINT_ROOT"/{run,var,var/lib}
	setpriv --reuid "$USER_INSIDE" --regid "$USER_INSIDE" --clear-groups ls "$STINT_ROOT/run/stint/i"
}
