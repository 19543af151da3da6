#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2317 # each test has a shell of its own, and so has inside
# Layers above an install: seen as if they had been unpacked into it, and never written to.
load helper

setup()
{
	set_up
	I=$STINT_ROOT/install
	P=$STINT_ROOT/packages
	C=$STINT_ROOT/configuration
	mkdir -p "$I/lib" "$I/conf" "$P/lib/more" "$C/conf"
	echo base >"$I/lib/a.jar"
	echo base >"$I/lib/b.jar"
	echo base >"$I/conf/server.cnf"
	echo package >"$P/lib/b.jar"
	echo package >"$P/lib/more/c.jar"
	echo package >"$P/own"
	echo conf >"$C/conf/server.cnf"
	echo conf >"$C/own"
	server_template t
}

# server_template NAME [LINE...]: a server that does nothing, on the install.
server_template()
{
	{
		printf 'template: %s\nready: none\n' "$1"
		printf "run: {command: [/bin/sleep, '300']}\n"
		printf '%s\n' "${@:2}"
		[[ "${*:2}" == *install:* ]] || printf 'install: %s\n' "$I"
	} >"$STINT_ROOT/etc/stint/templates/$1.yaml"
}

inside()
{
	stint exec "$1" -- sh -c "cd '$I' && $2"
}

contents()
{
	inside "$1" 'find . -type f | sort | while read -r f; do echo "$f $(cat "$f")"; done'
}

unchanged()
{
	[ "$(cat "$P/lib/b.jar" "$P/lib/more/c.jar" "$P/own" "$C/conf/server.cnf" "$C/own" "$I/lib/b.jar")" = \
		$'package\npackage\npackage\nconf\nconf\nbase' ]
	[ -z "$(find "$P" "$C" -type c)" ]
}

@test "layers are seen above the install, later ones above earlier ones, and stay as they are" {
	stint up t --name q --with-layer "$P" --with-layer "$C:$I"
	[ "$(contents q)" = './conf/server.cnf conf
./lib/a.jar base
./lib/b.jar package
./lib/more/c.jar package
./own conf' ]
	[ -z "$(stint diff q)" ]
	inside q 'echo mine >lib/b.jar; rm lib/more/c.jar; mv conf conf2; echo x >>own; rm lib/a.jar'
	stint diff q
	[ "$(stint diff q)" = "R $I/conf -> $I/conf2
D $I/lib/a.jar
C $I/lib/b.jar
D $I/lib/more/c.jar
C $I/own" ]
	unchanged
	# the other way round
	(cd "$STINT_ROOT" && stint up t --name r --with-layer configuration --with-layer packages)
	[ "$(inside r 'cat own')" = package ]
	[[ $(stint show r) == *"layer"*"$C"*"$P"* ]]
	[ "$(stint show r --json | jq -c '.installs[0].layers')" = "[\"$C\",\"$P\"]" ]
	# what was renamed is packed with what the layers had in it
	stint harvest q -o "$STINT_ROOT/f"
	[ "$(tar --zstd -xOf "$STINT_ROOT/f" "${I#/}/conf2/server.cnf")" = conf ]
	stint up t --name s --with "$STINT_ROOT/f" --with-layer "$P" --with-layer "$C"
	diff <(contents q) <(contents s)
}

@test "a template has layers, a plan shows them, and the command line's lie above" {
	server_template u "layers: $P"
	stint plan u | grep -A1 '^layers:' | grep -q "$P"
	[ "$(stint plan u --with-layer "$C" --json | jq -c .layers)" = "[\"$P\",\"$C\"]" ]
	mkdir "$STINT_ROOT"/lay$'\xfe'
	refused 2 "/lay\\xfe' is not UTF-8" plan u --with-layer "$STINT_ROOT"/lay$'\xfe' --json
	stint up u --name q
	[ "$(inside q 'cat own lib/b.jar')" = $'package\npackage' ]
	stint up u --name r --with-layer "$C"
	[ "$(inside r 'cat own lib/b.jar')" = $'conf\npackage' ]
}

@test "kept ones are seen with their layers" {
	stint up t --name q --keep-failed 1h --with-layer "$P" --with-layer "$C"
	inside q 'echo mine >lib/b.jar; rm own; mv lib/more moved'
	stint diff q >"$STINT_ROOT/before"
	kill_process sleep q
	is_kept() { stint ls -a | grep -q 'q .*kept'; }
	eventually 10 is_kept
	diff "$STINT_ROOT/before" <(stint diff q)
	stint cp "q:$I" "$STINT_ROOT/out"
	[ "$(cat "$STINT_ROOT/out/lib/b.jar" "$STINT_ROOT/out/moved/c.jar" "$STINT_ROOT/out/conf/server.cnf")" = \
		$'mine\npackage\nconf' ]
	[ ! -e "$STINT_ROOT/out/own" ]
	stint harvest q -o "$STINT_ROOT/f"
	[ "$(tar --zstd -xOf "$STINT_ROOT/f" "${I#/}/moved/c.jar")" = package ]
}

@test "above generations, as copies and as images" {
	stint install add app "$I"
	stint up t --name q --with-layer "$P"
	[ "$(inside q 'cat lib/a.jar lib/b.jar')" = $'base\npackage' ]
	inside q 'rm own'
	[ "$(stint diff q)" = "D $I/own" ]
	stint down q
	grep -qw erofs /proc/filesystems && [ -w /dev/loop-control ] && [ -x /usr/bin/mkfs.erofs ] || skip "no erofs"
	stint install adopt app --backend erofs
	stint up t --name q --with-layer "$P" --with-layer "$C" --keep-failed 1h
	[ "$(inside q 'cat lib/a.jar lib/b.jar own')" = $'base\npackage\nconf' ]
	inside q 'rm own; mv lib moved'
	stint diff q
	[ "$(stint diff q)" = "R $I/lib -> $I/moved
D $I/own" ]
	stint harvest q -o "$STINT_ROOT/f"
	[ "$(tar --zstd -xOf "$STINT_ROOT/f" "${I#/}/moved/a.jar" "${I#/}/moved/b.jar")" = $'base\npackage' ]
	kill_process sleep q
	is_kept() { stint ls -a | grep -q 'q .*kept'; }
	eventually 10 is_kept
	stint cp "q:$I/moved" "$STINT_ROOT/out"
	[ "$(cat "$STINT_ROOT/out/a.jar" "$STINT_ROOT/out/b.jar")" = $'base\npackage' ]
}

@test "with a limit of disk" {
	stint up t --name q --disk 64M --with-layer "$P" --with-layer "$C"
	inside q 'rm own; mv lib moved'
	[ "$(stint diff q)" = "R $I/lib -> $I/moved
D $I/own" ]
	stint harvest q -o "$STINT_ROOT/f"
	[ "$(tar --zstd -xOf "$STINT_ROOT/f" "${I#/}/moved/b.jar")" = package ]
}

@test "what cannot be a layer is refused with a sentence" {
	mkdir -p "$STINT_ROOT/second" "$P/inner"
	refused 1 "'/no/where'" up t --with-layer /no/where
	echo file >"$STINT_ROOT/file"
	refused 1 "layer '$STINT_ROOT/file' is not a directory" up t --with-layer "$STINT_ROOT/file"
	refused 1 "'/opt/other' is no install directory of the template" up t --with-layer "$P:/opt/other"
	refused 1 "'$P' and '$P' overlap" up t --with-layer "$P" --with-layer "$P"
	refused 1 "'$P/inner' and '$P' overlap" up t --with-layer "$P" --with-layer "$P/inner"
	refused 1 "layer '$I/lib' and '$I' overlap" up t --with-layer "$I/lib"
	refused 1 "is stint's own" up t --with-layer "$STINT_ROOT/var/lib/stint/i"
	refused 1 "is stint's own" up t --with-layer "$STINT_ROOT/var"
	server_template two "install: [$I, $STINT_ROOT/second]"
	refused 1 "has 2 install directories; say which one it lies above: $P:$I" up two --with-layer "$P"
	stint up two --name q --with-layer "$P:$STINT_ROOT/second"
	[ "$(stint exec q -- cat "$STINT_ROOT/second/own")" = package ]
	[ ! -e "$STINT_ROOT/second/own" ]
	args=()
	for i in $(seq 17); do
		mkdir "$STINT_ROOT/l$i"
		args+=(--with-layer "$STINT_ROOT/l$i")
	done
	refused 1 "more than 16 layers" up t "${args[@]}"
	stint up t --name many "${args[@]:2}"
	stint down many
	# one that is gone by the time is said, and nothing is left
	server_template gone "layers: $STINT_ROOT/l1"
	rmdir "$STINT_ROOT/l1"
	refused 1 "layer '$STINT_ROOT/l1'" up gone
}

state()
{
	find "$STINT_ROOT/var/lib/stint/layer" -mindepth 1 -maxdepth 1 ! -name '.lock' ! -name '.using' \
		-printf '%f\n' 2>/dev/null | sort
}

@test "what an instance changed becomes a template, and another one of that" {
	stint up t --name q --with-layer "$P"
	inside q 'echo mine >lib/b.jar; rm lib/a.jar; mv conf conf2; mkdir conf; echo x >new; chmod 1777 lib
		rm -r lib/more; mkdir lib/more; echo y >lib/more/z'
	[ "$(stint save q --as mine)" = "template mine: t, with what 'q' changed" ]
	contents q >"$STINT_ROOT/wanted"
	stint template show mine
	[ "$(stint template ls --json | jq -r '.[] | select(.template == "mine").summary')" = "t, as 'q' had changed it" ]
	stint template check mine
	stint up mine --name r
	diff "$STINT_ROOT/wanted" <(contents r)
	[ "$(inside r 'stat -c %a lib; ls conf')" = 1777 ]
	[ -z "$(stint diff r)" ]
	[ "$(stint show r --json | jq -r '.installs[0].layers | length')" -eq 2 ]
	# what the one does is not seen by the other, and a renamed directory of a saved layer is one, too
	inside r 'mv conf2 conf3; echo more >>new; rm lib/b.jar'
	stint diff r
	[ "$(stint diff r)" = "R $I/conf2 -> $I/conf3
D $I/lib/b.jar
C $I/new" ]
	stint save r --as theirs
	contents r >"$STINT_ROOT/wanted"
	stint down r
	stint up theirs --name s
	diff "$STINT_ROOT/wanted" <(contents s)
	[ "$(inside s 'test ! -e lib/a.jar && test ! -e conf2 && cat conf3/server.cnf')" = base ]
	unchanged
	[ "$(state)" = $'mine\ntheirs' ]
	[ -z "$(find "$STINT_ROOT/var/lib/stint/layer" -name pending)" ]
	# kept ones can be saved as well
	refused 4 "there is a template 'mine' already" save q --as mine
	refused 4 "there is a template 'hello' already" save q --as hello
	refused 2 "cannot be the name" save q --as ../x
	refused 2 "usage: stint save" save q
	stint up t --name empty
	refused 1 "'empty' has changed nothing" save empty --as nothing
	[ "$(state)" = $'mine\ntheirs' ]
	# in use, it stays
	refused 5 "instance 's' was started on it" template rm mine
	refused 5 "instance 's' was started on it" template rm theirs
	stint sweep
	diff "$STINT_ROOT/wanted" <(contents s)
	stint down s
	refused 5 "the template 'theirs.yaml' extends it" template rm mine
	[ "$(stint template rm theirs)" = "theirs: removed, with its layers" ]
	[ "$(stint template rm mine --json | jq -c .)" = '{"template":"mine","removed":true}' ]
	[ -z "$(state)" ]
	refused 3 "there is no template 'mine'" up mine
	refused 3 "no template that 'stint save' made" template rm t
	[ -e "$STINT_ROOT/etc/stint/templates/t.yaml" ]
	[ "$(inside q 'cat new')" = x ]
}

@test "killed at any system call, a save or a removal leaves the whole template or none" {
	local killat=$STINT_BUILD/libexec/stint-tests/killat n calls whole=0 nothing=0

	stint up t --name q
	inside q 'echo mine >lib/b.jar; rm lib/a.jar; mv conf conf2'
	contents q >"$STINT_ROOT/wanted"
	whole_or_nothing()
	{
		stint sweep >/dev/null
		if [ -e "$STINT_ROOT/etc/stint/templates/mine.yaml" ]; then
			[ "$(state)" = mine ]
			[ -z "$(find "$STINT_ROOT/var/lib/stint/layer" -name pending)" ]
			whole=$((whole + 1))
			return 0
		fi
		[ -z "$(state)" ]
		nothing=$((nothing + 1))
		return 1
	}
	calls=$("$killat" cli 0 -- "$STINT" save q --as mine 2>&1 | sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	stint template rm mine
	[ "$calls" -gt 50 ]
	for ((n = 1; n <= calls; n += ${STINT_SANITIZED:+$((calls / 40))}+1)); do
		timeout --foreground -s KILL 30 "$killat" cli "$n" -- "$STINT" save q --as mine >/dev/null 2>&1 || true
		! whole_or_nothing || stint template rm mine
	done
	[ "$whole" -gt 1 ] && [ "$nothing" -gt 1 ]
	whole=0 nothing=0
	stint save q --as mine
	calls=$("$killat" cli 0 -- "$STINT" template rm mine 2>&1 | sed -n 's/^killat: \([0-9]*\) calls$/\1/p')
	for ((n = 1; n <= calls; n += ${STINT_SANITIZED:+$((calls / 40))}+1)); do
		[ -e "$STINT_ROOT/etc/stint/templates/mine.yaml" ] || stint save q --as mine >/dev/null
		timeout --foreground -s KILL 30 "$killat" cli "$n" -- "$STINT" template rm mine >/dev/null 2>&1 || true
		whole_or_nothing || true
	done
	[ "$whole" -gt 1 ] && [ "$nothing" -gt 1 ]
	stint template rm mine 2>/dev/null || true
	stint save q --as mine
	stint up mine --name r
	diff "$STINT_ROOT/wanted" <(contents r)
}
