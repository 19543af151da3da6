#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# plan and template: from YAML to the canonical plan, and what is wrong with a template, and where.
load helper

GOLDEN=$BATS_TEST_DIRNAME/../golden

@test "the canonical plan of each golden template is the golden plan" {
	local file seen=0

	cp "$GOLDEN"/*.yaml "$STINT_ROOT/etc/stint/templates" # some extend others
	for file in "$GOLDEN"/*.yaml; do
		stint plan "$file" >"$STINT_ROOT/plan"
		diff "${file%.yaml}.plan" "$STINT_ROOT/plan"
		seen=$((seen + 1))
	done
	[ "$seen" -ge 1 ]
}

@test "a plan is a template of the same plan" {
	for template in hello tomcat node-red; do
		stint plan "$template" >"$STINT_ROOT/$template.yaml"
		[ "$(stint plan "$STINT_ROOT/$template.yaml")" = "$(cat "$STINT_ROOT/$template.yaml")" ]
		stint template check "$STINT_ROOT/$template.yaml"
		stint plan "$template" --json | jq -e .
	done
}

@test "plan starts nothing and needs no root" {
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$STINT" plan hello
	[ "$status" -eq 0 ]
	[ "$output" = "$(stint plan hello)" ]
	[ ! -e "$STINT_ROOT/var" ]
	[ ! -e "$STINT_ROOT/run" ]
}

@test "parameters and variables of the command line are in the plan" {
	stint plan node-red --set home=/opt/else --set user=nobody -e NEW=1 -e HOME=/x >"$STINT_ROOT/plan"
	grep -q '/opt/else/data' "$STINT_ROOT/plan"
	grep -q 'user: nobody' "$STINT_ROOT/plan"
	grep -q 'NEW: "\?1' "$STINT_ROOT/plan"
	grep -q 'HOME: /x' "$STINT_ROOT/plan"
	refused 2 "hom" plan node-red --set hom=/x || refused 1 "did you mean 'home'" plan node-red --set hom=/x
	refused 2 "KEY=VALUE" plan node-red --set nothing || refused 2 "nothing" plan node-red --set nothing
	refused 2 "" plan hello -e NOEQUALS
}

@test "own templates are found by name, beside those that come with stint" {
	printf 'template: mine\nextends: hello\nsummary: My own one\nlease: {ttl: 3m}\n' | template mine
	stint template ls >"$STINT_ROOT/ls"
	for name in hello tomcat node-red mine; do
		grep -q "^$name " "$STINT_ROOT/ls"
	done
	grep -q "My own one" "$STINT_ROOT/ls"
	stint template ls --json | jq -e 'map(.template) | contains(["hello", "mine", "node-red", "tomcat"])'
	[ "$(stint template show mine)" = "$(cat "$STINT_ROOT/etc/stint/templates/mine.yaml")" ]
	stint template show hello | grep -qx 'template: hello'
	stint template check mine
	stint plan mine | grep -q 'ttl: 3m'
	stint plan "$STINT_ROOT/etc/stint/templates/mine.yaml" | grep -q 'ttl: 3m'
	refused 3 "did you mean 'mine'" plan mne
	refused 3 "" template show nosuch
	refused 3 "" template check nosuch
	refused 2 "usage: stint template" template
	refused 2 "'template' knows no 'nosuch'" template nosuch
	refused 2 "usage: stint template" template show
}

@test "what help says fits a terminal, for every command" {
	local command

	for command in $(stint help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'); do
		stint help "$command" >"$STINT_ROOT/help"
		grep -q "^usage: stint $command" "$STINT_ROOT/help"
		[ -z "$(awk 'length($0) > 80' "$STINT_ROOT/help")" ]
	done
	# broken between alternatives, and nothing is lost
	[ "$(stint help install | head -n 3 | tr -s ' \n' ' ')" = "usage: stint install ls | show NAME |$(:
		) add NAME PATH... | adopt NAME | canary NAME [TEMPLATE] | live NAME [PATH...] |$(:
		) diff NAME FROM TO | prune NAME | rm NAME " ]
}

@test "a template that is not right is listed with its fault, the others are well" {
	printf 'template: broken\nrun: [\n' | template broken
	run stint template ls
	[ "$status" -eq 0 ]
	[[ $output == *broken* ]]
	[[ $output == *hello* ]]
}

# faulty PLACE TEXT <<<TEMPLATE: check, plan and up say the same, with the place, and exit with 1.
faulty()
{
	template f
	for command in "template check" plan up; do
		# shellcheck disable=SC2086 # words
		refused 1 "f.yaml:$1: " $command f
		[[ $output == *"$2"* ]]
	done
}

@test "an error has file, line, column, the key, and what would be right" {
	faulty 3:3 "'run.comand': unknown key; did you mean 'command'?" <<<$'template: f\nrun:\n  comand: [a]'
	faulty 2:1 "did you mean 'install'?" <<<$'template: f\ninstal: /x\nrun: {command: [/bin/true]}'
	faulty 3:8 "http" <<<$'template: f\nextends: hello\nready: {htp: {port: http}}' ||
		faulty 3:9 "http" <<<$'template: f\nextends: hello\nready: {htp: {port: http}}'
	faulty 3:14 "lease.ttl" <<<$'template: f\nextends: hello\nlease: {ttl: soon}'
	faulty 3:15 "ports" <<<$'template: f\nextends: hello\nports: {http: 70000}' ||
		faulty 3:14 "ports" <<<$'template: f\nextends: hello\nports: {http: 70000}'
	faulty 3:1 "twice" <<<$'template: f\nextends: hello\nextends: hello' ||
		faulty 3:1 "" <<<$'template: f\nextends: hello\nextends: hello'
}

@test "what is missing is named" {
	template f <<<$'template: f\nsummary: nothing to run'
	refused 1 "f.yaml" template check f
	[[ $output == *run* || $output == *command* ]]
	template f <<<'template: other'
	refused 1 "f.yaml" template check f
}

@test "extends finds its parent, and a circle is an error" {
	printf 'template: a\nextends: b\n' | template a
	printf 'template: b\nextends: a\n' | template b
	run timeout 10 "$STINT" template check a
	[ "$status" -eq 1 ]
	[[ $output == *extends* ]]
	printf 'template: a\nextends: nosuch\n' | template a
	refused 1 "nosuch" template check a || refused 3 "nosuch" template check a
}

@test "the keys are documented and have a schema" {
	stint template keys >"$STINT_ROOT/keys"
	stint template keys --schema | jq -e '.allOf[0].properties | has("template") and has("run") and has("ports")'
	for key in template summary install paths run ports ready limits lease network params extends; do
		grep -q "$key" "$STINT_ROOT/keys"
	done
}
