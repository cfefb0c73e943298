#!/usr/bin/env bash
# Brings the recipe up and ends only when the standby really streams. A project
# that runs already is checked, never touched; a run that fails takes away what
# it made.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/project.sh
. scripts/ports.sh
. scripts/provenance.sh

# host: where the published ports answer.
host() {
	local endpoint host
	endpoint=$(docker context inspect --format '{{.Endpoints.docker.Host}}')
	case $endpoint in unix://* | npipe://* | tcp://127.* | tcp://localhost:*)
		echo 127.0.0.1
		return
		;;
	esac
	host=${endpoint#*://}
	host=${host#*@}
	echo "${host%%[:/]*}"
}

await_pair() {
	build/pairstatus -wait "$1" -primary "$primary_url" -standby "$standby_url"
}

# The recipe's password is no secret: it is in the compose file for all to read.
report_pair() {
	say "connect  $primary_url"
	say "         $standby_url (read-only)"
	say "image    $(provenance)"
	say "stop     make down (it removes the servers and their data)"
}

refuse_leftovers() {
	die "a project $project is there already and does not replicate" "$@" \
		"it is left as it is" \
		"most often the standby was started a second time, which the recipe cannot: it clones only into an empty folder" \
		"do: make down, then make up (a new pair; the data of this one is removed)" \
		"or, to keep the primary's data, clone the standby again:" \
		"  docker compose -p $project rm --stop --force postgres_slave" \
		"  docker volume rm ${project}_slave_data" \
		"  docker compose -p $project up -d"
}

# others_files: with which other compose files the project was started.
others_files() {
	docker ps --all --filter "label=$project_label" --format '{{.Label "com.docker.compose.project.config_files"}}' |
		grep -vx '[^,]*/docker/docker-compose.yml' | sort -u
}

check_ports() {
	local taken=() port holder
	for port in 5432 5433; do
		holder=$(port_holder "$port")
		[ -z "$holder" ] || taken+=("port $port is held by $holder")
	done
	[ ${#taken[@]} -eq 0 ] ||
		die "the recipe's ports 5432 and 5433 must be free" "${taken[@]}" \
			"nothing was started; do: stop the holder and repeat"
}

# shellcheck disable=SC2317,SC2329 # reached through the trap
take_away() {
	trap - EXIT INT TERM HUP
	say "the run failed: removing what it made" >&2
	compose down -v --timeout 1 >&2 # nothing in it is worth a slow stop
}

scripts/setup.sh
mkdir -p build
without_downloads go build -o build/pairstatus ./cmd/pairstatus
host=$(host)
primary_url="postgres://postgres:postgres@$host:5432/mydatabase"
standby_url="postgres://postgres:postgres@$host:5433/mydatabase"

if files=$(others_files); then
	die "a project $project is there already, of other files than the recipe's: $files" "it is left as it is" \
		"do: use it as it is, or start the recipe beside it under another name, or make down (the data of this one are removed)"
fi
if [ "$(servers_running)" -eq 2 ]; then
	say "the project $project already runs"
	await_pair 20s || refuse_leftovers "the standby's last words:" "$(compose logs --no-color --no-log-prefix --tail 3 postgres_slave 2>&1)"
	report_pair
	exit
fi
found=$(labelled "$project_label")
[ -z "$found" ] || refuse_leftovers "$found"
if [ "$host" = 127.0.0.1 ]; then
	check_ports
else
	say "warning: the engine is on $host, and the recipe mounts 00_init.sql from the engine's own disk"
fi

trap take_away EXIT
trap 'exit 130' INT TERM HUP
say "docker compose -f docker/docker-compose.yml -p $project up -d"
compose up -d
if ! await_pair 2m; then
	compose logs --no-color --tail 20 >&2
	exit 1
fi
trap - EXIT INT TERM HUP
report_pair
