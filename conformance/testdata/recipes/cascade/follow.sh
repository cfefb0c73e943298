#!/bin/bash
# Clones the server FOLLOWS through SLOT, once, and runs as its standby.
set -euo pipefail
export PGPASSWORD=$REPLICATION_PASSWORD
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	until pg_basebackup --pgdata="$PGDATA" --write-recovery-conf --slot="$SLOT" --host="$FOLLOWS" --username=follower --checkpoint=fast; do
		find "$PGDATA" -mindepth 1 -delete
		sleep 0.5
		# The slot of a cascading standby is on a standby, which has no init script.
		PGPASSWORD=$POSTGRES_PASSWORD psql --host="$FOLLOWS" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
			--command="SELECT pg_create_physical_replication_slot('$SLOT', true)" || true
	done
	chmod 0700 "$PGDATA"
fi
exec postgres
