#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# diff: what an instance changed in its view of the install.
load helper

# An install of its own, with a server that does nothing by itself.
quiet()
{
	mkdir -p "$STINT_ROOT/install/dir/sub"
	echo a >"$STINT_ROOT/install/a"
	echo b >"$STINT_ROOT/install/dir/b"
	echo c >"$STINT_ROOT/install/dir/sub/c"
	cat >"$STINT_ROOT/etc/stint/templates/quiet.yaml" <<END
template: quiet
install: $STINT_ROOT/install
run: {command: [/bin/sleep, '300']}
ready: none
END
	stint up quiet --name q
	I=$STINT_ROOT/install
}

inside()
{
	stint exec q -- sh -c "cd '$I' && $1"
}

@test "nothing has changed in a new instance" {
	quiet
	[ -z "$(stint diff q)" ]
	[ "$(stint diff q --json | jq length)" -eq 0 ]
}

@test "added, changed, deleted and renamed, each once and sorted" {
	quiet
	inside 'echo new >new; echo more >>a; rm dir/b; mkdir made; echo x >made/in; mv dir/sub dir/moved'
	stint diff q >"$STINT_ROOT/diff"
	cat "$STINT_ROOT/diff"
	grep -qx "A $I/new" "$STINT_ROOT/diff"
	grep -qx "C $I/a" "$STINT_ROOT/diff"
	grep -qx "D $I/dir/b" "$STINT_ROOT/diff"
	grep -qx "A $I/made/in" "$STINT_ROOT/diff"
	grep -qx "R $I/dir/sub -> $I/dir/moved" "$STINT_ROOT/diff"
	run ! grep -q "dir/moved/c" "$STINT_ROOT/diff"
	[ "$(sort "$STINT_ROOT/diff" | uniq -d | wc -l)" -eq 0 ]
	[ "$(stint diff q --json | jq -r 'map(.path) | . == sort')" = true ]
	[ "$(stint diff q --json | jq -r '.[] | select(.change == "R") | .from')" = "$I/dir/sub" ]
	[ "$(stint diff q --json | jq length)" -eq "$(wc -l <"$STINT_ROOT/diff")" ]
	[ "$(cat "$I/a" "$I/dir/b" "$I/dir/sub/c")" = $'a\nb\nc' ]
}

@test "written with what it had before is no change, a mode is one" {
	quiet
	inside 'echo a >a; touch dir/b'
	[ -z "$(stint diff q)" ]
	inside 'chmod 0600 a; chmod 0600 dir/b; chmod 0700 dir/sub'
	run stint diff q
	[[ $output == *"C $I/a"* ]]
	[[ $output == *"C $I/dir/b"* ]]
	[[ $output == *"C $I/dir/sub"* ]]
}

@test "a directory that was replaced shows what is gone and what is new" {
	quiet
	inside 'rm -r dir; mkdir dir; echo other >dir/other; rm a; mkdir a'
	run stint diff q
	[[ $output == *"$I/dir/b"* ]]
	[[ $output == *"A $I/dir/other"* ]]
	[[ $output == *"$I/a"* ]]
}

@test "names that look like anything else are shown so that a line stays a line" {
	quiet
	inside 'touch "$(printf "new\nD everything")" "$(printf "esc\033[2J")" "with blank"'
	stint diff q >"$STINT_ROOT/diff"
	[ "$(wc -l <"$STINT_ROOT/diff")" -eq 3 ]
	run ! grep -q $'\033' "$STINT_ROOT/diff"
	run ! grep -q '^D' "$STINT_ROOT/diff"
	[ "$(stint diff q --json | jq length)" -eq 3 ]
	stint diff q --json | jq -e 'map(.path) | any(contains("\n"))'
}

@test "a byte that is no text and a name with its words look different" {
	quiet
	inside 'touch "$(printf "q\\377")" "$(printf "q%sxff" "\\")"'
	[ "$(stint diff q | sort)" = "$(printf '%s\n' "A $I/q\\\\xff" "A $I/q\\xff")" ]
	[ "$(stint diff q --json | jq -c 'map(.path[-6:]) | sort')" = '["/q\\xff","q\\\\xff"]' ]
}

@test "hello shows what it wrote below its install, nothing outside of it" {
	stint up hello --name h
	get -X PUT --data text "http://127.0.0.1:$(port_of h)/flow/mine" >/dev/null
	stint exec h -- touch /tmp/not-of-the-install
	run stint diff h
	[[ $output == *"A $STINT_BUILD/share/stint/hello/packages/mine"* ]]
	[[ $output != *not-of-the-install* ]]
	refused 3 "no instance 'nope'" diff nope
	refused 2 "usage: stint diff" diff
}
