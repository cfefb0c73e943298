#!/bin/bash
# Makes the replication role and a slot for each standby of the primary, and
# settings for all roles as applications want them.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
	-v password="$REPLICATION_PASSWORD" <<-'EOSQL'
	CREATE ROLE follower WITH REPLICATION LOGIN PASSWORD :'password';
	SELECT pg_create_physical_replication_slot('near', true);
	SELECT pg_create_physical_replication_slot('other', true);
	ALTER ROLE ALL SET bytea_output = 'escape';
	ALTER ROLE ALL SET client_min_messages = 'error';
	ALTER ROLE ALL SET statement_timeout = '30s';
EOSQL
echo 'host replication follower samenet scram-sha-256' >>"$PGDATA/pg_hba.conf"
