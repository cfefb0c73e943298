# The compose project that the recipe runs as. Sourced, not run.
# shellcheck shell=bash

project=postgres-master-slave
project_label=com.docker.compose.project=$project

# The file is named so that a COMPOSE_FILE of somebody else does not matter.
compose() { docker compose -f docker/docker-compose.yml -p "$project" "$@"; }

# labelled LABEL: the containers, networks and volumes that carry a label.
labelled() {
	docker ps --all --filter "label=$1" --format 'container {{.Names}} ({{.State}})'
	docker network ls --filter "label=$1" --format 'network {{.Name}}'
	docker volume ls --filter "label=$1" --format 'volume {{.Name}}'
}

# servers_running: how many of the project's containers run.
servers_running() { docker ps --quiet --filter "label=$project_label" --filter status=running | wc -l; }

engine_answers() { command -v docker >/dev/null && docker version >/dev/null 2>&1; }
