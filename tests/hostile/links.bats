#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Links in an install that lead to the host, at every name that a root file system has: whatever
# stint makes, mounts or copies below them stays inside.
load hostile

NAMES="dev proc sys run tmp etc usr home log"

start_bait()
{
	local name

	mkdir -p "$STINT_ROOT/canary/sub"
	echo of-the-host >"$STINT_ROOT/canary/file"
	for name in $NAMES; do
		ln -s "$STINT_ROOT/canary" "$INSTALL/$name"
	done
	ln -s ../../../../../../../../../../../..$STINT_ROOT/canary "$INSTALL/up"
	before=$(picture)
}

picture()
{
	find "$STINT_ROOT/canary" "$INSTALL" -printf '%p %y %l %m %U %G %s %T@ %C@\n' | sort
}

@test "a link of an install leads nowhere inside, and cp through it to nothing of the host's" {
	local name

	hostile h "$USER_INSIDE" wait
	stint up h --name h
	echo new >"$STINT_ROOT/new"
	for name in $NAMES up; do
		run ! stint exec h -- cat "$INSTALL/$name/file"
		run ! stint cp "h:$INSTALL/$name/file" -
		run ! stint cp "$STINT_ROOT/new" "h:$INSTALL/$name/new"
		run ! stint exec h --user 0 -- touch "$INSTALL/$name/new"
	done
	stint diff h >"$STINT_ROOT/diff"
	run ! grep of-the-host "$STINT_ROOT/diff"
	stint down h
	[ "$(picture)" = "$before" ]
}

@test "where a server's directory or program is such a link, nothing of the host's is entered" {
	local name

	for name in dev etc up; do
		hostile h "$USER_INSIDE" whoami
		sed -i "s|^  grace|  directory: $INSTALL/$name/sub\n  grace|" \
			"$STINT_ROOT/etc/stint/templates/h.yaml"
		run ! stint run h
		echo "$output"
	done
	ln -s "$HOSTILE" "$INSTALL/bin/link"
	before=$(picture)
	hostile h "$USER_INSIDE" whoami
	sed -i 's|bin/hostile-probe|bin/link|' "$STINT_ROOT/etc/stint/templates/h.yaml"
	run ! stint run h
	[ "$(picture)" = "$before" ]
}

@test "places that have to be made below a link are made inside, or not at all" {
	mkdir "$STINT_ROOT/view" "$STINT_ROOT/canary/app"
	cp -a "$INSTALL/bin" "$STINT_ROOT/canary/app"
	ln -s "$STINT_ROOT/canary" "$STINT_ROOT/view/link"
	before=$(picture)
	hostile h "$USER_INSIDE" whoami
	echo "paths: [$STINT_ROOT/view/link/sub]" >>"$STINT_ROOT/etc/stint/templates/h.yaml"
	stint run h
	hostile h "$USER_INSIDE" whoami
	echo "paths: [$STINT_ROOT/view, $STINT_ROOT/view/link/sub]" \
		>>"$STINT_ROOT/etc/stint/templates/h.yaml"
	refused 125 "No such file or directory" run h
	sed -i "s|^install: .*|install: $STINT_ROOT/view/link/app|" "$STINT_ROOT/etc/stint/templates/h.yaml"
	refused 125 "overlap" run h
	[ "$(picture)" = "$before" ]
}
