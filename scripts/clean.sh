#!/usr/bin/env bash
# Takes away everything that this project made: the recipe's project, what test
# runs left behind, templates of pairs, the stand-in image and build/. The engine, docker compose
# and a pulled image stay.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/project.sh
. scripts/host.sh

session=io.github.postgres-master-slave.session # the label of test runs, set by package stack
host=io.github.postgres-master-slave.host       # where it runs
lease=io.github.postgres-master-slave.lease     # the file that a run holds locked while it lives
kept=io.github.postgres-master-slave.kept       # the label of what runs were told to keep
template=io.github.postgres-master-slave.template # the label of kept pairs, set by package stack
stand_in=io.github.postgres-master-slave.image.recipe # the label of the stand-in, set by image/build.sh

this_host=$(here)

# A run that is still under way is left alone, and so is one of which nobody can
# tell: macOS has no flock. A dead run's file goes with its watchdog, or when the
# next run starts.
alive() {
	[ -n "$1" ] && [ -e "$1" ] || return 1
	! command -v flock >/dev/null || ! flock --nonblock "$1" true
}

# remove KIND REMOVE...: what of a kind carries the label of a run that is over.
# The leases of another machine, or of one that has been restarted since, are not seen here.
remove() {
	local kind=$1 name where file
	shift
	while IFS='|' read -r name where file; do
		[ -n "$name" ] || continue
		if [ -n "$where" ] && [ "$where" != "$this_host" ]; then
			say "$kind $name belongs to a test run of $where, not of this machine since its start: left alone; to remove it: $* $name"
		elif alive "$file"; then
			say "$kind $name belongs to a test run under way: left alone"
		else
			say "removing $kind $name of a test run"
			"$@" "$name" >/dev/null
		fi
	done
}

scripts/down.sh
if engine_answers; then
	format="{{.Name}}|{{.Label \"$host\"}}|{{.Label \"$lease\"}}"
	for label in "$session" "$kept"; do
		docker ps --all --filter "label=$label" --format "${format/Name/Names}" | remove container docker rm --force --volumes
		docker network ls --filter "label=$label" --format "$format" | remove network docker network rm
		docker volume ls --filter "label=$label" --format "$format" | remove volume docker volume rm
		docker image ls --filter "label=$label" --format '{{.Repository}}:{{.Tag}}' |
			while read -r name; do
				docker image inspect --format "$name|{{index .Config.Labels \"$host\"}}|{{index .Config.Labels \"$lease\"}}" "$name"
			done | remove image docker image rm
	done
	docker volume ls --quiet --filter "label=$template" |
		while read -r name; do
			say "removing template volume $name"
			docker volume rm "$name" >/dev/null
		done
	docker image ls --filter "label=$stand_in" \
		--format '{{if eq .Repository "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}' |
		while read -r name; do
			say "removing the stand-in image $name"
			docker image rm "$name" >/dev/null || die "the stand-in image is in use" "do: remove those containers and repeat"
		done
fi
if [ -e build ]; then
	say "removing build/"
	rm -rf build
fi
