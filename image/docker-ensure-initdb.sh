#!/usr/bin/env bash
# Initialises the data directory as the entrypoint would, without starting the
# server afterwards. A database that exists already is fine for
# docker-ensure-initdb.sh and an error for docker-enforce-initdb.sh, a symbolic
# link to this file.
set -Eeo pipefail

# shellcheck source=/dev/null
. /usr/local/bin/docker-entrypoint.sh

if [[ $1 != postgres ]]; then
	set -- postgres "$@"
fi

docker_setup_env
docker_create_db_directories
if ((EUID == 0)); then
	exec gosu postgres "$0" "$@"
fi

if [[ -z $DATABASE_ALREADY_EXISTS ]]; then
	initialize_cluster "$@"
	exit
fi

name=${0##*/}
case $name in
	docker-ensure-initdb.sh)
		printf >&2 "%s: note: database already initialized in '%s'!\n" "$name" "$PGDATA"
		;;
	docker-enforce-initdb.sh)
		printf >&2 "%s: error: (unexpected) database found in '%s'!\n" "$name" "$PGDATA"
		exit 1
		;;
	*)
		printf >&2 '%s: error: unknown file name\n' "$name"
		exit 99
		;;
esac
