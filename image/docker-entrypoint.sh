#!/usr/bin/env bash
# Entrypoint of the local stand-in for postgres:15.8 (not the official image's).
#
# Started as a command it prepares and initialises the data directory if that
# is what "postgres" needs, then replaces itself with the command. Sourced, it
# only defines its functions; docker-ensure-initdb.sh uses it like that.
# The contract is in README.md. No "set -u": init scripts sourced below run
# under the options of this shell.
set -Eeo pipefail

# Command prefix that init scripts which are sourced may use.
# shellcheck disable=SC2034
psql=(docker_process_sql)

# read_setting NAME [DEFAULT] exports NAME from itself, from the file named in
# NAME_FILE (without trailing newlines) or from DEFAULT. Setting both is an error.
read_setting() {
	local name=$1 file_name=${1}_FILE value=${2-}
	if [[ -n ${!name} && -n ${!file_name} ]]; then
		printf >&2 'error: both %s and %s are set (but are exclusive)\n' "$name" "$file_name"
		exit 1
	fi
	if [[ -n ${!name} ]]; then
		value=${!name}
	elif [[ -n ${!file_name} ]]; then
		value=$(<"${!file_name}")
	fi
	unset "$file_name"
	export "$name=$value"
}

# docker_setup_env reads all settings, and whether there is a database already.
docker_setup_env() {
	read_setting POSTGRES_PASSWORD
	read_setting POSTGRES_USER postgres
	read_setting POSTGRES_DB "$POSTGRES_USER"
	read_setting POSTGRES_INITDB_ARGS
	if [[ -s $PGDATA/PG_VERSION ]]; then
		DATABASE_ALREADY_EXISTS=true
	fi
}

# docker_create_db_directories makes the directories with the modes the server
# insists on. As root it also hands their content to postgres.
docker_create_db_directories() {
	local sockets=/var/run/postgresql
	local -a owned=("$PGDATA" "$sockets")

	# A directory of another owner keeps its mode; initdb then says what is wrong.
	mkdir -p "$PGDATA"
	chmod 0700 "$PGDATA" || true
	# Group-writable and setgid, so that a server of another uid can put its socket there.
	mkdir -p "$sockets" || true
	chmod 3775 "$sockets" || true
	if [[ -n $POSTGRES_INITDB_WALDIR ]]; then
		mkdir -p "$POSTGRES_INITDB_WALDIR"
		owned+=("$POSTGRES_INITDB_WALDIR")
	fi

	if ((EUID == 0)); then
		find "${owned[@]}" ! -user postgres -exec chown postgres {} +
	fi
	if [[ -n $POSTGRES_INITDB_WALDIR ]]; then
		chmod 0700 "$POSTGRES_INITDB_WALDIR"
	fi
}

# docker_verify_minimum_env refuses to make a superuser without password,
# unless trust was asked for; that gets a warning.
docker_verify_minimum_env() {
	if [[ $POSTGRES_HOST_AUTH_METHOD == trust ]]; then
		local frame
		frame=$(printf '*%.0s' {1..80})
		cat >&2 <<-WARNING
			$frame
			WARNING: POSTGRES_HOST_AUTH_METHOD has been set to "trust". This will allow
			         every client that can reach the port to log in as any role, the
			         superuser included, without giving a password.

			         In Docker's default set-up that means: every container on the
			         same network, and every host if the port is published.

			         Do not use it for data that matters. For a password instead, drop
			         POSTGRES_HOST_AUTH_METHOD and give
			         -e POSTGRES_PASSWORD=password
			         See https://www.postgresql.org/docs/current/auth-trust.html
			$frame
		WARNING
	elif [[ -z $POSTGRES_PASSWORD ]]; then
		cat >&2 <<-'REFUSAL'
			Error: Database is uninitialized and superuser password is not specified.
			       POSTGRES_PASSWORD must be set and must not be empty, for example with
			       "-e POSTGRES_PASSWORD=password" on the command line of "docker run".

			       It is also possible, but *not* recommended, to let everybody in
			       without a password: "-e POSTGRES_HOST_AUTH_METHOD=trust".

			       What that means is written in the PostgreSQL documentation:
			       https://www.postgresql.org/docs/current/auth-trust.html
		REFUSAL
		exit 1
	fi
}

# with_passwd_entry COMMAND... runs COMMAND; if this uid has no passwd entry,
# which initdb insists on, with a made-up one.
with_passwd_entry() {
	local wrapper='' entries
	if ! getent passwd "$EUID" >/dev/null; then
		wrapper=$(find -L /usr/lib /lib -maxdepth 2 -name libnss_wrapper.so -print -quit)
	fi
	if [[ -z $wrapper ]]; then
		"$@"
		return
	fi
	entries=$(mktemp -d)
	printf 'postgres:x:%d:%d:PostgreSQL:%s:/bin/false\n' "$EUID" "$(id -g)" "$PGDATA" >"$entries/passwd"
	printf 'postgres:x:%d:\n' "$(id -g)" >"$entries/group"
	# In a subshell, so that the variables are gone afterwards.
	(
		export LD_PRELOAD=$wrapper NSS_WRAPPER_PASSWD=$entries/passwd NSS_WRAPPER_GROUP=$entries/group
		"$@"
	)
	rm -r "$entries"
}

# docker_init_database_dir [INITDB ARGUMENT...] runs initdb.
# shellcheck disable=SC2120
docker_init_database_dir() {
	if [[ -n $POSTGRES_INITDB_WALDIR ]]; then
		set -- --waldir "$POSTGRES_INITDB_WALDIR" "$@"
	fi
	# POSTGRES_INITDB_ARGS is shell text by contract, hence the eval. The newline
	# makes an empty password a valid password file.
	# shellcheck disable=SC2016
	eval 'with_passwd_entry initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD")' \
		"$POSTGRES_INITDB_ARGS" '"$@"'
}

# pg_setup_hba_conf [postgres] [SERVER ARGUMENT...] lets remote clients in.
pg_setup_hba_conf() {
	if [[ $1 == postgres ]]; then
		shift
	fi
	local method=$POSTGRES_HOST_AUTH_METHOD
	if [[ -z $method ]]; then
		# The way in which the superuser's password has just been stored.
		method=$(postgres -C password_encryption "$@")
	fi
	{
		printf '\n'
		if [[ $method == trust ]]; then
			printf '# warning trust is enabled for all connections\n'
			printf '# see https://www.postgresql.org/docs/12/auth-trust.html\n'
		fi
		printf 'host all all all %s\n' "$method"
	} >>"$PGDATA/pg_hba.conf"
}

# docker_temp_server_start [postgres] [SERVER ARGUMENT...] starts a server that
# only listens on the Unix socket. Its log goes to stdout.
docker_temp_server_start() {
	if [[ $1 == postgres ]]; then
		shift
	fi
	local options='' argument
	# Last wins, so ours come last. pg_ctl hands them to sh, hence the quoting.
	for argument in "$@" -c listen_addresses= -p "${PGPORT:-5432}"; do
		options+=" '${argument//\'/\'\\\'\'}'"
	done
	pg_ctl -D "$PGDATA" -o "$options" -w start
}

# docker_temp_server_stop waits until the server has shut down cleanly.
docker_temp_server_stop() {
	pg_ctl -D "$PGDATA" -m fast -w stop
}

# docker_process_sql [PSQL ARGUMENT...] runs psql as the superuser. It stops at
# the first error, and no setting meant for other clients leads it astray.
docker_process_sql() {
	PGHOST='' PGHOSTADDR='' command psql --set ON_ERROR_STOP=1 --no-password --no-psqlrc \
		--username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

# docker_setup_db creates POSTGRES_DB if it is missing.
docker_setup_db() {
	local found
	found=$(docker_process_sql --dbname postgres --set db="$POSTGRES_DB" --tuples-only <<-'SQL'
		SELECT 1 FROM pg_database WHERE datname = :'db';
	SQL
	)
	if [[ -z $found ]]; then
		docker_process_sql --dbname postgres --set db="$POSTGRES_DB" <<-'SQL'
			CREATE DATABASE :"db";
		SQL
		printf '\n'
	fi
}

# docker_process_init_files FILE... runs the init files in the given order. The
# first that fails ends the container with its exit code.
docker_process_init_files() {
	local init_file
	printf '\n'
	for init_file; do
		case $init_file in
			*.sh)
				if [[ -x $init_file ]]; then
					printf '%s: running %s\n' "$0" "$init_file"
					"$init_file"
				else
					printf '%s: sourcing %s\n' "$0" "$init_file"
					# shellcheck source=/dev/null
					. "$init_file"
				fi
				;;
			*.sql | *.sql.gz | *.sql.xz | *.sql.zst)
				printf '%s: running %s\n' "$0" "$init_file"
				run_sql_file "$init_file"
				printf '\n'
				;;
			*) printf '%s: ignoring %s\n' "$0" "$init_file" ;;
		esac
		printf '\n'
	done
}

# run_sql_file FILE feeds a plain or compressed SQL file to psql.
run_sql_file() {
	case $1 in
		*.sql) docker_process_sql -f "$1" ;;
		*.gz) gunzip -c "$1" | docker_process_sql ;;
		*.xz) xzcat "$1" | docker_process_sql ;;
		*.zst) zstd -dc "$1" | docker_process_sql ;;
	esac
}

# initialize_cluster [postgres] [SERVER ARGUMENT...] makes the database cluster
# and leaves it cleanly shut down.
initialize_cluster() {
	docker_verify_minimum_env
	# An unreadable directory must fail before there is a database to skip.
	ls /docker-entrypoint-initdb.d/ >/dev/null
	docker_init_database_dir
	pg_setup_hba_conf "$@"
	# For initdb arguments that ask for passwords on the socket too.
	export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
	docker_temp_server_start "$@"
	docker_setup_db
	docker_process_init_files /docker-entrypoint-initdb.d/*
	docker_temp_server_stop
	unset PGPASSWORD
}

# starts_server COMMAND... succeeds if the command starts the server and does
# not just ask it for help.
starts_server() {
	local argument
	[[ $1 == postgres ]] || return 1
	for argument; do
		case $argument in
			-'?' | --help | --describe-config | -V | --version) return 1 ;;
		esac
	done
}

_main() {
	if [[ $1 == -* ]]; then
		set -- postgres "$@"
	fi
	if starts_server "$@"; then
		docker_setup_env
		docker_create_db_directories
		if ((EUID == 0)); then
			exec gosu postgres "${BASH_SOURCE[0]}" "$@"
		fi
		if [[ -n $DATABASE_ALREADY_EXISTS ]]; then
			printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
		else
			initialize_cluster "$@"
			printf '\nPostgreSQL init process complete; ready for start up.\n\n'
		fi
	fi
	exec "$@"
}

# Outside a function, return only works in a sourced file.
if ! (return) 2>/dev/null; then
	_main "$@"
fi
