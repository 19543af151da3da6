#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The templates of webMethods servers on the stand-in for them (examples/webmethods), which behaves for
# who starts it as the documentation says.
load helper

IS=IntegrationServer/instances/default

setup()
{
	set_up
	chmod 755 "$STINT_ROOT"
	SAG=$STINT_ROOT/sag
	LAY_OUT=$BATS_TEST_DIRNAME/../../examples/webmethods/lay-out
}

# lay_out is|msr: below $SAG, as somebody's who is not root.
lay_out()
{
	STINT_BUILD=$STINT_BUILD "$LAY_OUT" "$SAG" "$1"
	chown -R nobody: "$SAG"
}

is_gone()
{
	[ -z "$(stint ls -q | grep -x "$1")" ]
}

# Everything that is in the installation, with its contents.
installation()
{
	(cd "$SAG" && find . -printf '%p %y %m %U %s %T@\n' | sort && find . -type f -print0 | sort -z |
		xargs -0 sha256sum)
}

@test "the stand-in is made from the build that there is, or not at all" {
	local tree=$STINT_ROOT/tree

	mkdir -p "$tree/examples" "$tree/build"
	cp -R "${LAY_OUT%/*}" "$tree/examples/webmethods"
	run env -u STINT_BUILD "$tree/examples/webmethods/lay-out" "$SAG"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"build first (scripts/build release), or say with STINT_BUILD where"* ]]
	[ ! -e "$SAG" ]
	for build in dev release; do
		ln -s "$STINT_BUILD" "$tree/build/$build"
		env -u STINT_BUILD "$tree/examples/webmethods/lay-out" "$SAG" is
		cmp "$SAG/$IS/bin/server" "$STINT_BUILD/share/stint/hello/bin/hello"
		rm -rf "$SAG" "$tree/build/$build"
	done
}

@test "two Integration Servers run on all default ports at once, each with what it writes" {
	lay_out is
	before=$(installation)
	for name in a b; do
		run --separate-stderr stint up webmethods-is --set home="$SAG" --name $name
		echo "$output $stderr"
		[ "$status" -eq 0 ]
		[[ $stderr == *"stint: note: no licence was given"* ]]
	done
	for port in 5555 5543 9999 8075; do
		stint exec a -- bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
	done
	[ "$(stint show a --json | jq -c '[.ports[].inside_port] | sort')" = "[5543,5555,8075,9999]" ]
	# their own lock file, identity, log and packages, with the owner of the installation
	[ "$(stint exec a -- cat "$SAG/$IS/config/clusteruuid.dat")" != \
		"$(stint exec b -- cat "$SAG/$IS/config/clusteruuid.dat")" ]
	stint exec a -- mkdir "$SAG/$IS/packages/Mine"
	stint exec b -- test ! -e "$SAG/$IS/packages/Mine"
	[ "$(stint exec a -- stat -c %U "$SAG/$IS/LOCKFILE")" = nobody ]
	# a second one in the same place is refused by the server itself
	run stint exec a -- "$SAG/profiles/IS_default/bin/console.sh"
	[ "$status" -eq 1 ]
	[[ $output == *"the lock file"*"is there"* ]]
	[[ $(get "http://127.0.0.1:$(port_of a)/invoke/wm.server/ping") == *date* ]]
	stint down a b
	[ "$(installation)" = "$before" ]
}

@test "the heap follows the limit of memory, and one that cannot work is refused" {
	lay_out is
	stint up webmethods-is --set home="$SAG" --name one --memory 1G
	[[ $(stint logs one) == *"java -Xms256m -Xmx640m"* ]]
	stint exec one -- grep -qx 'wrapper.java.maxmemory=640' \
		"$SAG/profiles/IS_default/configuration/custom_wrapper.conf"
	# all else is as it was
	stint exec one -- grep -qx 'wrapper.java.additional.401=-Dwatt.server.name=standin' \
		"$SAG/profiles/IS_default/configuration/custom_wrapper.conf"
	stint up webmethods-is --set home="$SAG" --name two --memory 2G
	[[ $(stint logs two) == *"-Xmx1535m"* ]]
	refused 5 "at least --memory 640M" up webmethods-is --set home="$SAG" --memory 512M
}

@test "a licence is put where the server looks for it, and without one it ends" {
	lay_out is
	echo "<licence/>" >"$STINT_ROOT/licence.xml"
	run --separate-stderr stint up webmethods-is --set home="$SAG" --name one \
		--set licence="$STINT_ROOT/licence.xml"
	[ "$status" -eq 0 ]
	[[ $stderr != *licence* ]]
	[[ $(stint logs one) != *"no licence"* ]]
	[ "$(stint exec one -- cat "$SAG/$IS/config/licenseKey.xml")" = "<licence/>" ]
	[ ! -e "$SAG/$IS/config/licenseKey.xml" ]
	# from a pipe, and on no disk of the host
	stint up webmethods-is --set home="$SAG" --name other --secret licence=- <"$STINT_ROOT/licence.xml"
	[ "$(stint exec other -- cat "$SAG/$IS/config/licenseKey.xml")" = "<licence/>" ]
	[ "$(grep -rlF '<licence/>' "$STINT_ROOT")" = "$STINT_ROOT/licence.xml" ]
	stint up webmethods-is --set home="$SAG" --name two --env STANDIN_UNLICENSED_SECONDS=2
	[[ $(stint logs two) == *"WARNING: there is no licence"* ]]
	eventually 10 is_gone two
}

@test "check fails for a server that answers with an error of its own" {
	lay_out is
	template trial <<-YAML
		extends: webmethods-is
		ready: none
	YAML
	stint up webmethods-is --set home="$SAG" --name good
	stint check good
	stint up trial --set home="$SAG" --name bad --env HELLO_BIND_EARLY=1 --env HELLO_NEVER_READY=1
	fails_with() { [[ $(stint check bad 2>&1) == *"HTTP/1.1 503"*"failed with status 1"* ]]; }
	eventually 10 fails_with
}

@test "a server that was killed in the installation leaves a lock that nobody takes over" {
	lay_out is
	echo 4711 >"$SAG/$IS/LOCKFILE"
	echo of-the-install >"$SAG/$IS/config/clusteruuid.dat"
	stint up webmethods-is --set home="$SAG" --name one
	[ "$(stint exec one -- cat "$SAG/$IS/config/clusteruuid.dat")" != of-the-install ]
	[ "$(cat "$SAG/$IS/LOCKFILE")" = 4711 ]
	# the wrapper starts a server that dies again, inside
	stint exec one -- pkill -KILL -x server
	again() { [[ $(stint logs one) == *"is started again"* ]]; }
	eventually 10 again
	stint down one
	[[ $(stint history one --json | jq -r '.[0].log') == *"asked to stop"*"stopped"* ]]
}

@test "a Microservices Runtime takes its heap from the environment and stops by its script" {
	lay_out msr
	echo 4711 >"$SAG/IntegrationServer/bin/.lock"
	before=$(installation)
	stint up webmethods-msr --set home="$SAG" --name one --memory 800M
	[[ $(stint logs one) == *"java -Xms256m -Xmx544m"* ]]
	[[ $(get "http://127.0.0.1:$(port_of one)/health/readiness") == *UP* ]]
	stint down one
	[[ $(stint history one --json | jq -r '.[0].log') == *"asked to stop"*"stopped"* ]]
	[ "$(installation)" = "$before" ]
}

@test "packages and configuration that were made in a server go into another one, its identity and its licence do not" {
	lay_out is
	echo "<licence/>" >"$STINT_ROOT/licence.xml"
	stint up webmethods-is --set home="$SAG" --secret licence=@"$STINT_ROOT/licence.xml" --name one
	stint exec one -- sh -c "mkdir $SAG/$IS/packages/Mine; echo 1.0 >$SAG/$IS/packages/Mine/manifest.v3;
		echo mine >$SAG/$IS/config/mine.cnf; echo log >$SAG/$IS/logs/mine.log"
	stint harvest one -o "$STINT_ROOT/one.tar.zst"
	stint down one
	tar --zstd -xf "$STINT_ROOT/one.tar.zst" -C "$(mktemp -d -p "$STINT_ROOT")"
	run -1 grep -rl "<licence/>" "$STINT_ROOT"/tmp.*
	stint up webmethods-is --set home="$SAG" --secret licence=@"$STINT_ROOT/licence.xml" \
		--with "$STINT_ROOT/one.tar.zst" --name two
	[ "$(stint exec two -- cat "$SAG/$IS/packages/Mine/manifest.v3")" = 1.0 ]
	[ "$(stint exec two -- cat "$SAG/$IS/config/mine.cnf")" = mine ]
	[ "$(stint exec two -- cat "$SAG/$IS/config/licenseKey.xml")" = "<licence/>" ]
	run -1 stint exec two -- test -e "$SAG/$IS/logs/mine.log"
}
