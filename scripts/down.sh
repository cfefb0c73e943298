#!/usr/bin/env bash
# Takes away the project that the recipe runs as, with its data.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/project.sh

if ! engine_answers; then
	say "no Docker engine answers: nothing to remove"
	exit
fi
found=$(labelled "$project_label")
if [ -z "$found" ]; then
	say "no project $project: nothing to remove"
	exit
fi
docker compose version >/dev/null 2>&1 || scripts/compose-plugin.sh
say "removing the project $project, its volumes with all data included:"
say "$found"
compose down -v
left=$(labelled "$project_label")
[ -z "$left" ] || die "something of the project $project is still there" "$left"
