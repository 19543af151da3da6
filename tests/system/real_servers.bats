#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two Tomcats and two Node-REDs at once from one install each; scripts/servers has put them there.
load helper

installs=(/usr/share/tomcat10 /var/lib/tomcat10 /etc/tomcat10 /var/log/tomcat10
	/var/cache/tomcat10 /opt/node-red)

hash_installs()
{
	find "${installs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
	find "${installs[@]}" -printf '%p %y %m %U %G %s %T@\n' | grep -v ' d ' | sort | sha256sum
}

deploy_page()
{
	echo "page of $1" >"$STINT_ROOT/page"
	stint exec "$1" -- mkdir -p /var/lib/tomcat10/webapps/app
	stint cp "$STINT_ROOT/page" "$1:/var/lib/tomcat10/webapps/app/page.txt"
}

deploy_flow()
{
	get -X POST -H 'Content-Type: application/json' -H 'Node-RED-Deployment-Type: full' \
		--data '[{"id":"t","type":"tab","label":"t"},
			{"id":"i","type":"http in","z":"t","url":"/mine","method":"get","wires":[["f"]]},
			{"id":"f","type":"function","z":"t","func":"msg.payload = \"flow of '"$1"'\"; return msg;","outputs":1,"wires":[["o"]]},
			{"id":"o","type":"http response","z":"t"}]' \
		"http://127.0.0.1:$(port_of "$1")/flows"
}

answers()
{
	[ "$(get "http://127.0.0.1:$(port_of "$1")$2" 2>/dev/null)" = "$3" ]
}

@test "two Tomcats and two Node-REDs, each with its own content" {
	before=$(hash_installs)
	for name in t1 t2; do
		"$STINT" up tomcat --name $name >/dev/null 2>&1 3>&- &
	done
	for name in n1 n2; do
		"$STINT" up node-red --name $name >/dev/null 2>&1 3>&- &
	done
	wait
	[ "$(stint ls --json | jq -r 'map(select(.state == "ready")) | length')" -eq 4 ]
	for name in t1 t2; do
		deploy_page $name
	done
	for name in n1 n2; do
		deploy_flow $name
	done
	for name in t1 t2; do
		eventually 30 answers $name /app/page.txt "page of $name"
	done
	for name in n1 n2; do
		eventually 30 answers $name /mine "flow of $name"
	done
	[[ $(stint diff t1) == *"A /var/lib/tomcat10/webapps/app"* ]]
	stint down --all
	[ "$(hash_installs)" = "$before" ]
}
