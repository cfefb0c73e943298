#!/usr/bin/env bash
# Health check of both nodes, over TCP as clients connect: a primary is healthy
# when it answers and nobody was promoted beside it, a standby when it replicates.
#
# A probe does the waiting that Docker's interval would make coarse or costly.
# Until the node is healthy it looks every 0.1 s, so that a start is noticed at
# once; where the server answers and is not, every 0.5 s soon, as each answer is
# a connection. After that a probe rests before it looks, so that probes are few.
set -uo pipefail

readonly patience=5 rest=5   # seconds
readonly known=/dev/shm/healthy # the last probe's verdict; gone when the container starts again

PATH=/usr/lib/postgresql/$PG_MAJOR/bin:$PATH
# Without the WAL that it needs, a WAL receiver also says "streaming", ends, and
# is started again a second later: only one that lasts counts. The server does
# that waiting.
readonly lasts="
SELECT pg_sleep_until(backend_start + interval '2.01 s')
  FROM pg_stat_wal_receiver JOIN pg_stat_activity USING (pid) WHERE status = 'streaming'"
readonly query="
SELECT CASE
         WHEN NOT pg_is_in_recovery()
           THEN 'primary ' || system_identifier || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
         WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver JOIN pg_stat_activity USING (pid)
                           WHERE status = 'streaming' AND backend_start < clock_timestamp() - interval '2 s')
           THEN 'standby does not stream: its log says why'
         WHEN pg_get_wal_replay_pause_state() <> 'not paused' THEN 'replay is paused'
         ELSE 'healthy'
       END
  FROM pg_control_system()"

# ask asks a server: ask 'host=… user=…' OPTION...
ask() {
	timeout 5 psql --no-psqlrc --tuples-only --no-align --no-password --dbname="$1 dbname=$POSTGRES_DB passfile=$HOME/.pgpass" "${@:2}"
}

# The other node is a primary of the same cluster, on a later timeline.
other_was_promoted() {
	local identifier=$1 timeline=$2
	[[ $(ask "host=$OTHER_NODE user=replicator sslmode=require channel_binding=require connect_timeout=2" --command="
SELECT CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END
  FROM pg_control_system() WHERE system_identifier = $identifier" 2>/dev/null) > $timeline ]]
}

look() {
	# Cheap looks first: a probe must not slow down the start that it waits for.
	state='there is no data directory yet'
	[[ -e $PGDATA ]] || return
	state='nobody listens on TCP'
	(: </dev/tcp/127.0.0.1/"${PGPORT:-5432}") 2>/dev/null || return
	asked=$((asked + 1))
	state=$(ask "host=127.0.0.1 user=$POSTGRES_USER" --command="$lasts" --command="$query" 2>&1) || state=${state:-no answer within 5 s}
	state=${state#$'\n'} # the first statement has no words
	if [[ $state == 'primary '* ]]; then
		# shellcheck disable=SC2086 # two words: identifier and timeline
		other_was_promoted ${state#* } && state="$OTHER_NODE was promoted: what is written here is written beside it" || state=healthy
	fi
	[[ $state == healthy ]]
}

exec {never}<> <(:)
if [[ -e $known ]]; then
	sleep "$rest"
fi
SECONDS=0 asked=0
until look; do
	# A clone takes as long as it takes, and says nothing about health.
	if [[ -e $PGDATA.making ]]; then
		SECONDS=0
	fi
	if ((SECONDS >= patience)); then
		echo "$state"
		rm -f "$known"
		exit 1
	fi
	read -rt "0.$((asked < 10 ? 1 : 5))" -u "$never" # a pause that starts no process
done
echo "$state"
touch "$known"
