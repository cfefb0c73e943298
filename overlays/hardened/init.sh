#!/usr/bin/env bash
# Runs once, after 00_init.sql, while the server listens on no TCP port.
set -eo pipefail

# The password of 00_init.sql is known to everybody.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/replicator_password`
ALTER ROLE replicator PASSWORD :'password';
SQL

# The key is for encryption only; who is who, SCRAM proves (channel_binding).
# Key, certificate and settings reach the standby with its clone.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 -subj /CN=postgres \
	-keyout "$PGDATA/server.key" -out "$PGDATA/server.crt"
chmod 0600 "$PGDATA/server.key"
echo "include '/etc/postgresql/hardened/postgresql.conf'" >>"$PGDATA/postgresql.conf"
