#!/usr/bin/env bash
# Health check of both nodes, over TCP as clients connect: a primary is healthy
# when it answers and serves beside no other one, a standby when it replicates.
#
# A probe does the waiting that Docker's interval would make coarse or costly.
# Until the node is healthy it looks every 0.1 s, so that a start is noticed at
# once (by engines of version 25 and later once the first probe runs, after 5 s); where the server answers and is not, every 0.5 s soon, as each answer is
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
           THEN concat_ws(' ', 'primary', system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int)
         WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver JOIN pg_stat_activity USING (pid)
                           WHERE status = 'streaming' AND backend_start < clock_timestamp() - interval '2 s')
           THEN 'standby does not stream: its log says why'
         WHEN pg_get_wal_replay_pause_state() <> 'not paused' THEN 'replay is paused'
         ELSE 'healthy'
       END
  FROM pg_control_system()"

# ask asks a server: ask 'host=… user=…' OPTION...
ask() {
	timeout 5 psql --no-psqlrc --tuples-only --no-align --no-password --dbname="$1 passfile=$HOME/.pgpass" "${@:2}"
}

# beside says which primary the other node is that this one must not serve beside,
# if it is one: of this cluster, on a later timeline, or of an older cluster,
# where this one was made of an empty volume. An identifier begins with the time.
# It asks as a standby would, which needs no right on any database.
#
# Source: PostgreSQL documentation, "Streaming Replication Protocol"; BootStrapXLOG in its source.
beside() {
	local identifier=$1 timeline=$2 answer its_identifier its_timeline recovery
	answer=$(ask "host=$OTHER_NODE user=replicator replication=true sslmode=require channel_binding=require connect_timeout=2" \
		--set=ON_ERROR_STOP=1 --command=IDENTIFY_SYSTEM --command='SHOW in_hot_standby' 2>/dev/null) || return
	read -r its_identifier its_timeline _ recovery <<<"${answer//[$'\n'|]/ }"
	if [[ $recovery == on ]]; then
		return
	elif [[ $its_identifier == "$identifier" ]]; then
		((its_timeline <= timeline)) || echo "$OTHER_NODE was promoted: what is written here is written beside it"
	elif ((its_identifier < identifier)); then
		echo "$OTHER_NODE is the primary of an older cluster: this one was made beside it"
	fi
}

look() {
	# Cheap looks first: a probe must not slow down the start that it waits for.
	state='there is no data directory yet'
	[[ -e $PGDATA ]] || return
	state='nobody listens on TCP'
	(: </dev/tcp/127.0.0.1/"${PGPORT:-5432}") 2>/dev/null || return
	asked=$((asked + 1))
	if state=$(ask "host=127.0.0.1 user=$POSTGRES_USER dbname=postgres" --command="$lasts" --command="$query" 2>&1); then
		state=${state##*$'\n'} # warnings come first
	else
		state=${state:-no answer within 5 s}
	fi
	if [[ $state == 'primary '* ]]; then
		# shellcheck disable=SC2086 # two words: identifier and timeline
		state=$(beside ${state#* })
		state=${state:-healthy}
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
