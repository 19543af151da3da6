#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Members of the group stint, through sudo: what they can do, and each way around it.
load helper
load callers

setup()
{
	set_up_people
}

teardown()
{
	clean_up_people
}

@test "the shipped rule for sudo is valid, and gives this one program" {
	visudo -cf "$STINT_BUILD/sudoers.d/stint"
	grep -q "^Cmnd_Alias STINT = /.*/bin/stint$" "$STINT_BUILD/sudoers.d/stint"
	inside visudo -c
	run person alice sudo -n /bin/true
	[ "$status" -ne 0 ]
	run person alice sudo -n "STINT_ROOT=/tmp" "$STINT" ls
	[ "$status" -ne 0 ]
	run person dave sudo -n "$STINT" ls
	[ "$status" -ne 0 ]
}

@test "a member lives with instances of his own" {
	as alice up hello --name a --ttl 10m
	[ "$(as alice show a --json | jq -r .owner)" = alice ]
	as alice exec a -- true
	as alice extend a +5m
	as alice logs a >/dev/null
	as alice diff a
	echo text >"$PEOPLE/home/file"
	as alice cp "$PEOPLE/home/file" a:/tmp/file
	as alice plan hello >/dev/null
	as alice template show hello >/dev/null
	as alice reset a
	run as alice exec a -- test -e /tmp/file
	[ "$status" -eq 1 ]
	denied bob 3 "no instance 'a' of yours" reset a
	as alice doctor | grep -q "configuration"
	as alice doctor --seccomp a | grep -q "default: EPERM"
	as alice doctor --seccomp a -- true
	as alice sweep
	as alice run hello -- id -un >"$PEOPLE/out"
	[ "$(tail -n 1 "$PEOPLE/out")" = alice ]
	as alice down a
	[ "$(as alice history --json | jq -r '.[].owner' | sort -u)" = alice ]
}

@test "primary and supplementary members are restricted, administrators and root are not" {
	inside cp "$BATS_TEST_DIRNAME/../../templates/catalog/hello.yaml" /etc/stint/own.yaml
	denied alice 5 "by name" up /etc/stint/own.yaml
	denied bob 5 "by name" up /etc/stint/own.yaml
	as carol up /etc/stint/own.yaml --name c
	root up /etc/stint/own.yaml --name r
	[ "$(as carol ls --json | jq '[.[].owner] | length')" -eq 2 ]
	as carol down r
}

@test "who has lost the group is restricted as long as his session has it" {
	as alice ls
	inside sed -i 's/^stint:.*/stint:x:61000:/' /etc/group
	run inside setpriv --reuid alice --regid alice --groups 61000 \
		sudo -n "$STINT" template show /etc/shadow
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output != *root:* ]]
}

@test "templates are the catalogue's: no path is ever opened" {
	echo "SECRET: [" | inside tee /etc/stint/secret.yaml >/dev/null
	inside chmod 600 /etc/stint/secret.yaml
	for path in /etc/stint/secret.yaml ./x.yaml x.yaml ../x /etc/shadow /none; do
		for command in "up" "plan" "template show" "template check"; do
			# shellcheck disable=SC2086 # a command and its operand
			denied alice 5 "by name" $command "$path"
			[[ $output != *SECRET* ]]
		done
		denied alice 125 "by name" run "$path" -- true
	done
	denied alice 3 "there is no template" up "a b"
	# also not by a template of the administrator's that others could write
	cp "$BATS_TEST_DIRNAME/../../templates/catalog/hello.yaml" "$PEOPLE/home/t.yaml"
	inside install -m 0666 "$PEOPLE/home/t.yaml" /etc/stint/templates/loose.yaml
	sed -i 's/^template: hello/template: loose/' "$PEOPLE/etc/stint/templates/loose.yaml"
	denied alice 5 "everybody can write" up loose
	inside chmod 644 /etc/stint/templates/loose.yaml
	inside chown alice /etc/stint/templates/loose.yaml
	denied alice 5 "belongs to user 61001" up loose
}

@test "--set reaches the inside, never the host" {
	inside tee /etc/stint/templates/p.yaml >/dev/null <<-EOF
		template: p
		params: {dir: $PROBE, word: a, who: nobody}
		install: \${dir}
		run: {command: [$PROBE/bin/probe, print, "\${word}", sleep, '60'], user: "\${who}"}
		ready: {log: .}
	EOF
	as alice up p --name w --set word=changed
	as alice logs w | grep -q changed
	denied alice 5 "decides over the host" up p --set dir=/etc
	denied alice 5 "decides over the host" up p --set who=root
	denied alice 5 "decides over the host" plan p --set who=0
	denied alice 2 "unknown parameter" up p --set install=/etc
	as carol up p --set who=root --name c
}

@test "other people's instances do not exist, but for their names" {
	local id

	as bob up hello --name b
	as carol up hello --name c
	as alice up hello --name a
	id=$(root show b --json | jq -r .id)
	[ "$(as alice ls -q | sort | tr '\n' ' ')" = "a b c " ]
	as alice ls --json >"$PEOPLE/ls"
	[ "$(jq -c '.[] | select(.name == "b")' "$PEOPLE/ls")" = '{"name":"b"}' ]
	[ "$(jq -c '.[] | select(.name == "a") | .owner' "$PEOPLE/ls")" = '"alice"' ]
	run as alice ls
	[[ $output != *bob* ]] && [[ $output != *carol* ]]
	[ "$(grep -c '127.0.0.1' <<<"$output")" -eq 1 ]
	[ "$(as alice top --json | jq -c '[.instances[].name]')" = '["a"]' ]
	[ "$(root top --json | jq '.instances | length')" -eq 3 ]
	for name in b c "$id" none; do
		denied alice 3 "no instance '$name' of yours" show "$name"
		denied alice 3 "no instance '$name' of yours" logs "$name" -f
		denied alice 3 "no instance '$name' of yours" diff "$name"
		denied alice 3 "no instance '$name' of yours" extend "$name" +1s
		denied alice 3 "no instance '$name' of yours" down "$name"
		denied alice 3 "no instance '$name' of yours" down "$name" --now
		denied alice 3 "no instance '$name' of yours" cp "$name:/etc/passwd" -
		denied alice 3 "no instance '$name' of yours" cp - "$name:/tmp/x"
		denied alice 125 "no instance '$name' of yours" exec "$name" -- id
		denied alice 125 "no instance '$name' of yours" shell "$name"
		denied alice 3 "no instance '$name' of yours" doctor --seccomp "$name"
		denied alice 125 "no instance '$name' of yours" doctor --seccomp "$name" -- id
	done
	denied alice 4 "the name 'b' is taken" up hello --name b
	[[ $output != *bob* ]]
	denied alice 4 "the name 'b' is taken" up hello --name b --recreate
	[[ $output != *bob* ]]
	as alice down --all
	[ "$(root ls -q | sort | tr '\n' ' ')" = "b c " ]
	as bob down b
	[ "$(as alice history --json | jq -r '.[].name')" = a ]
	[ "$(as alice history b --json)" = "[]" ]
	[ "$(as alice history "$(root history b --json | jq -r '.[0].id')" --json)" = "[]" ]
	denied alice 5 "'--prune' is not for members" history --prune --keep 0
	[ "$(root history --json | jq length)" -eq 2 ]
}

@test "a name that is another instance's id changes nothing for that one" {
	local id

	as bob up hello --name b
	id=$(root show b --json | jq -r .id)
	as alice up hello --name "$id"
	as bob down b
	[ "$(root ls -q)" = "$id" ]
	[ "$(as alice show "$id" --json | jq -r .state)" = ready ]
	[ "$(root history --json | jq -r '.[].name')" = b ]
	[ ! -e "$PEOPLE/lib/stint/i/$id" ]
	as alice down "$id"
}

@test "what only root may do is refused" {
	as alice up hello --name a
	denied alice 5 "'--best-effort' is not for" up hello --best-effort
	denied alice 125 "'--best-effort' is not for" run hello --best-effort -- true
	denied alice 5 "'stint reap' is not for" reap abcdef01
	denied alice 5 "'stint mend' is not for" mend
	denied alice 5 "'--zone' is not for" up hello --zone default
	denied alice 5 "'stint zone add' is not for" zone add hers
	denied alice 5 "'--peers' is not for" zone set default --peers allow
	denied alice 5 "'stint zone set' is not for" zone set default
	denied alice 5 "'stint zone rm' is not for" zone rm default
	denied alice 5 "'stint install add' is not for" install add hers /opt
	denied alice 5 "'stint install adopt' is not for" install adopt hers
	denied alice 5 "'stint install rm' is not for" install rm hers
	as alice install ls
	as alice zone ls
	as alice zone show default
	denied alice 5 "port 80 is root's" up hello -p 80:http
	denied alice 5 "port 1023 is root's" up hello -p 127.0.0.1:1023:http
	denied alice 5 "can be reached from elsewhere" up hello -p 0.0.0.0:0:http
	denied alice 5 "can be reached from elsewhere" up hello -p '[::]:0:http'
	denied alice 5 "can be reached from elsewhere" up hello -p '[::ffff:127.0.0.1]:0:http'
	as alice up hello -p 127.0.0.2:0:http --name two
	as carol up hello -p 0.0.0.0:0:http --name open
}

@test "the environment of the caller steers nothing" {
	echo "Defaults!STINT setenv, !env_reset" | inside tee -a /etc/sudoers.d/stint >/dev/null
	run person alice STINT_ROOT="$PEOPLE/home" sudo -E -n "$STINT" ls
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *"STINT_ROOT is not for members"* ]]
	[ -z "$(ls -A "$PEOPLE/home")" ]
	person alice EVIL=1 LANG=C PATH="$PEOPLE/home:$PATH" \
		sudo -E -n "$STINT" run hello -- env >"$PEOPLE/out"
	run grep -E "^(EVIL|PATH=$PEOPLE)" "$PEOPLE/out"
	[ "$status" -eq 1 ]
	grep -qx LANG=C "$PEOPLE/out"
	grep -qx USER=alice "$PEOPLE/out"
	# no way to be somebody else
	run person alice SUDO_UID=0 SUDO_USER=root sudo -E -n "$STINT" template show /etc/shadow
	[ "$status" -eq 5 ]
	run person alice env -u SUDO_UID sudo -E -n "$STINT" template show /etc/shadow
	[ "$status" -eq 5 ]
}

@test "a session that allows little makes nobody an administrator" {
	local n

	for n in 3 4 5 6 7 8 10 16; do
		run person alice bash -c "ulimit -n $n; sudo -n $STINT template show /etc/shadow || exit 1"
		[ "$status" -ne 0 ]
		[[ $output != *root:* ]]
	done
	# without the mark of sudo's rule, and with what sudo itself leaves alone
	for n in 3 4 5 6 7 8 10 16 63; do
		run inside bash -c "ulimit -n $n; SUDO_UID=61001 SUDO_GID=61001 $STINT template show /etc/shadow || exit 1"
		echo "$n: $output"
		[ "$status" -ne 0 ]
		[[ $output != *root:* ]]
	done
	# what can be raised is raised: the program works, and nobody is left half-way
	inside bash -c "ulimit -Sn 8; ulimit -Sf 0; SUDO_UID=61001 SUDO_GID=61001 $STINT up hello --name a"
	inside bash -c "ulimit -Sn 8; ulimit -Sf 0; SUDO_UID=61001 SUDO_GID=61001 $STINT down a"
	run inside env SUDO_UID=61001 SUDO_GID=61001 "$STINT" template show /etc/shadow
	[ "$status" -eq 5 ]
	run inside env SUDO_UID=61009 SUDO_GID=61009 "$STINT" template show /etc/shadow
	[ "$status" -eq 5 ]
	[[ $output == *"cannot find out whether user 61009 is a member"* ]]
	run inside env SUDO_UID=61004 SUDO_GID=61000 "$STINT" template show /etc/shadow
	[ "$status" -eq 5 ]
	run inside env SUDO_UID=x "$STINT" ls
	[ "$status" -eq 5 ]
	run inside env SUDO_UID= "$STINT" ls
	[ "$status" -eq 5 ]
}

@test "what is run beside an instance is the caller's own, with his limits and signals" {
	as alice run hello -- bash -c 'id -u; id -G; grep -E "Cap(Eff|Prm|Bnd)|SigIgn" /proc/self/status' \
		>"$PEOPLE/out"
	grep -qx 61001 "$PEOPLE/out"
	grep -qx "61001 61000" "$PEOPLE/out"
	grep -q "CapEff:.0000000000000000" "$PEOPLE/out"
	grep -q "CapPrm:.0000000000000000" "$PEOPLE/out"
	run as alice run hello -- sudo -n /bin/cat /etc/shadow
	[ "$status" -ne 0 ]
	[[ $output != *root:* ]]
	run as alice run hello -- sudo -n "$STINT" up ./x.yaml
	[ "$status" -eq 5 ]
	inside bash -c "umask 0777 && ulimit -Sn 100 && ulimit -f 2000000 &&
		SUDO_UID=61001 SUDO_GID=61001 $STINT run hello -- bash -c 'umask; ulimit -Sn; ulimit -f'" >"$PEOPLE/out"
	[ "$(tail -n 3 "$PEOPLE/out" | tr '\n' ' ')" = "0777 100 2000000 " ]
}

@test "20 starts at once stay within the quota, and so do limits and leases" {
	local i

	config <<-EOF
		cgroup: $GROUP
		quota: {instances: 3, memory: 600M, cpu: none, ttl: 1h}
		quotas: {bob: {instances: 1}}
	EOF
	for i in {1..20}; do
		as alice up hello --memory 64M >"$PEOPLE/out.$i" 2>&1 3>&- &
		STARTS[i]=$!
	done
	wait "${STARTS[@]}" || true
	[ "$(root ls -q | wc -l)" -eq 3 ]
	[ "$(grep -l "your quota is 3 instances" "$PEOPLE"/out.* | wc -l)" -eq 17 ]
	as bob up hello --name b
	denied bob 5 "your quota is 1 instances" up hello
	# to a quota, one in the place of another is none more; and only one's own can be replaced
	before=$(as bob show b --json | jq -r .id)
	as bob replace b
	[ "$(as bob show b --json | jq -r '.id, .owner' | tr '\n' ' ')" != "$before bob " ]
	[ "$(root show b --json | jq -r .owner)" = bob ]
	# a template that the administrator has put into a zone is not taken out of it
	inside tee /etc/stint/templates/sealed.yaml >/dev/null <<-EOF
		template: sealed
		extends: hello
		network: {zone: sealed}
	EOF
	root zone add sealed
	denied bob 5 "is for the zone 'sealed'" replace b sealed
	as carol up hello --name c
	denied bob 3 "no instance 'c' of yours" replace c
	as alice down --all
	# an equal share, where neither template nor caller say anything
	as alice up hello --name share
	[ "$(as alice show share --json | jq .limits.memory.set)" -eq $((200 << 20)) ]
	denied alice 5 "your quota is 600 MiB of memory" up hello --memory 500M
	denied alice 5 "beyond the quota's maximum of 1h" up hello --ttl 61m
	denied alice 5 "beyond the quota's maximum of 1h" extend share +1h
	denied alice 5 "beyond the quota's maximum of 1h" up hello --until "$(date -d '+2 hours' +%Y-%m-%dT%H:%M)"
	denied alice 5 "may lower that limit, but not" up hello --memory 64M --pids 100000
	denied alice 5 "may lower that limit, but not" up hello --memory 64M --pids none
	as alice up hello --memory 64M --pids 100 --name few
}

@test "templates of third persons are refused to everybody who starts them" {
	inside mkdir /var/lib/people
	cp "$BATS_TEST_DIRNAME/../../templates/catalog/hello.yaml" "$PEOPLE/lib/people/t.yaml"
	root up /var/lib/people/t.yaml --name r
	root down r
	inside chown carol:carol /var/lib/people /var/lib/people/t.yaml
	as carol up /var/lib/people/t.yaml --name c
	run root up /var/lib/people/t.yaml
	[ "$status" -eq 5 ]
	[[ $output == *"'/var/lib/people' belongs to user 61003"* ]]
	run as carol plan /var/lib/people/t.yaml
	[ "$status" -eq 0 ]
	# a group that only she is in may write, as with umask 002
	inside chmod 775 /var/lib/people
	inside chmod 664 /var/lib/people/t.yaml
	as carol up /var/lib/people/t.yaml --name d
	inside sed -i 's/^carol:x:61003:/carol:x:61003:dave/' /etc/group
	denied carol 5 "group 61003 can write" up /var/lib/people/t.yaml
	inside chgrp dave /var/lib/people/t.yaml
	inside chmod 755 /var/lib/people
	denied carol 5 "group 61004 can write" up /var/lib/people/t.yaml
	inside chmod 777 /var/lib/people
	denied carol 5 "everybody can write to '/var/lib/people'" up /var/lib/people/t.yaml
	inside chmod 1777 /var/lib/people
	inside chmod 644 /var/lib/people/t.yaml
	as carol up /var/lib/people/t.yaml --name e
	inside ln -s t.yaml /var/lib/people/link.yaml
	inside chown dave /var/lib/people/t.yaml
	denied carol 5 "belongs to user 61004" up /var/lib/people/link.yaml
}

@test "events are those of a member's own instances" {
	as alice up hello --name a --no-wait
	as bob up hello --name b --no-wait
	root zone add z
	[ "$(as alice events --json | jq -r .name | sort -u)" = a ]
	[ -z "$(as alice events b)" ]
	[ -z "$(as alice events "$(root show b --json | jq -r .id)")" ]
	[ "$(root events --json | jq -r .name | sort -u | tr '\n' ' ')" = "a b null " ]
	as alice down a
	[ "$(as alice events --json | jq -r .event | tail -n 1)" = ended ]
	root zone rm z
	# also when what tells whose they are is gone from the file
	: >"$PEOPLE/run/stint/events"
	as bob down b
	[ -z "$(as alice events)" ]
	[ "$(as bob events b --json | jq -r .event | tail -n 1)" = ended ]
}

@test "what an instance changed is carried out and in again with one's own rights" {
	as alice up hello --name a
	as alice exec a -- sh -c "echo mine >'$STINT_BUILD/share/stint/hello/mine'"
	as alice harvest a -o "$PEOPLE/home/f"
	[ "$(stat -c %U:%G "$PEOPLE/home/f")" = "$(stat -c %U:%G "$PEOPLE/home")" ]
	as alice up hello --name b --with "$PEOPLE/home/f"
	[ "$(as alice exec b -- cat "$STINT_BUILD/share/stint/hello/mine")" = mine ]
	install -m 600 "$PEOPLE/home/f" "$PEOPLE/roots"
	denied alice 1 "cannot open '$PEOPLE/roots' as user 'alice'" up hello --name c --with "$PEOPLE/roots"
	mkdir -m 755 "$PEOPLE/closed"
	denied alice 1 "cannot make '$PEOPLE/closed/f'" harvest a -o "$PEOPLE/closed/f"
	[ -z "$(ls "$PEOPLE/closed")" ]
	denied bob 3 "no instance 'a' of yours" harvest a -o "$PEOPLE/closed/f"
	as alice down a b
}

@test "who waits for his own quota is in nobody's way" {
	printf 'cgroup: %s\nquota: {instances: 1}\n' "$GROUP" | config
	as alice up hello --name a
	as alice up hello --name a2 --queue >"$PEOPLE/out" 2>&1 3>&- &
	eventually 10 grep -qs "your quota is 1 instances, and you have 1: 'stint down a'" "$PEOPLE/out"
	as bob up hello --name b --queue-for 5s
	as alice down a
	wait $!
	[ "$(as alice top --json | jq -c '[.instances[].name]')" = '["a2"]' ]
}

@test "he claims a spare within his quota, and pools are not his to change" {
	local id

	printf 'cgroup: %s\nquota: {instances: 1, ttl: 2h}\n' "$GROUP" | config
	inside tee /etc/stint/templates/small.yaml >/dev/null <<-END
		template: small
		extends: hello
		limits: {memory: 64M, cpu: 1.0}
	END
	root pool set small 1
	root pool ls --json | jq -e '.[0].ready == 1'
	id=$(root ls --json | jq -r '.[0].id')
	denied alice 3 "no instance" show "$id"
	denied alice 5 "not for members" pool set small 2
	denied alice 5 "not for members" pool rm small
	as alice pool ls | grep -q "^small *default *1/1"
	as alice up small --name mine --cpus 0.5 --ttl 10m
	[ "$(as alice show mine --json | jq -r '.id, .owner')" = "$id"$'\n'alice ]
	as alice show mine | grep "^limit cpu *0.5"
	as alice show mine | grep "^limit memory *64 MiB"
	denied alice 5 "your quota" up small --name more
	root pool rm small
}
