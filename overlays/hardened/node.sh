#!/usr/bin/env bash
# Entrypoint of both nodes: node.sh postgres [-c setting=value ...]
#
# What a node is, its data directory says: with standby.signal it is a standby
# of the other node, without it a primary. Where there is no data directory
# yet, FIRST_ROLE says what to make: primary (initialise) or standby (clone).
#
# A data directory is made under another name, synced, and renamed. So it is
# whole or not there, and what has the other name is never worth keeping.
set -Eeuo pipefail

# The programs themselves; those in /usr/bin are wrappers.
PATH=/usr/lib/postgresql/$PG_MAJOR/bin:$PATH

readonly making=$PGDATA.making replaced=$PGDATA.replaced
readonly rejoin=${PGDATA%/*}/rejoin # whoever makes this file wants a new clone here
readonly passfile=$HOME/.pgpass slot=replication_slot port=${PGPORT:-5432}
# Channel binding proves that whoever ends the TLS connection knows the
# password: it needs no certificate authority.
readonly other="host=$OTHER_NODE user=replicator passfile=$passfile sslmode=require channel_binding=require connect_timeout=10"

say() { printf 'node.sh: %s\n' "$*" >&2; }

# A shell acts on a signal only between two commands, but at once in a wait.
trap 'say "stopped before the server was started"; exit 0' INT TERM
run() {
	"$@" &
	wait $!
}

write_passfile() {
	local role
	for role in postgres replicator; do
		printf '*:*:*:%s:%s\n' "$role" "$(sed 's/[\\:]/\\&/g' "/run/secrets/${role}_password")"
	done | (umask 077 && cat >"$passfile")
}

# ask puts what the other node answers to a query into answer; without one it fails.
ask() {
	local heard=/dev/shm/heard # a command substitution would keep a signal waiting
	answer=
	run timeout "${2:-15}" psql --no-psqlrc --tuples-only --no-align --no-password \
		--dbname="$other dbname=$POSTGRES_DB" --command="$1" >"$heard" && answer=$(<"$heard")
}

listens() { run timeout 5 bash -c ": </dev/tcp/$OTHER_NODE/$port" 2>/dev/null; }

control() { pg_controldata "$PGDATA" | sed -n "s/^$1: *//p"; }

# What is in the making need not survive a crash: one sync takes the place of
# many. An older directory goes only when the new one is whole.
install_directory() {
	sync --file-system "$making"
	if [[ -e $PGDATA ]]; then
		mv "$PGDATA" "$replaced"
	fi
	mv "$making" "$PGDATA"
	rm -rf "$replaced" "$rejoin"
}

initialise() {
	rm -rf "$making"
	PGDATA=$making run docker-ensure-initdb.sh "$@" -c fsync=off
	install_directory
}

# A second copy needs as much room as the first.
fits() {
	[[ ! -e $PGDATA ]] || (($(df --output=avail -k "$PGDATA" | tail -n 1) > $(du -sk "$PGDATA" | cut -f 1)))
}

clone() {
	local tenths=1
	if ! fits; then
		say "no room for a second copy beside $PGDATA: waiting for some"
		until fits; do run sleep 5; done
	fi
	say "cloning $OTHER_NODE"
	while true; do
		until listens; do run sleep 0.1; done
		rm -rf "$making"
		run pg_basebackup --dbname="$other" --pgdata="$making" --write-recovery-conf --slot="$slot" \
			--checkpoint=fast --no-password --no-sync && break
		# A node that was promoted has no slot yet.
		ask "SELECT pg_create_physical_replication_slot('$slot') WHERE NOT EXISTS
			(SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" || true
		if [[ -z $answer ]]; then # a try may cost the other node a checkpoint and a read of all its data
			run sleep "$((tenths / 10)).$((tenths % 10))"
			tenths=$((tenths < 300 ? tenths * 2 : 600))
		fi
	done
	install_directory
}

# Without the WAL of its slot a standby never catches up. All that it holds is
# a past state of the primary, which has just answered.
slot_is_lost() {
	[[ $(control 'Database cluster state') == *recovery ]] &&
		ask "SELECT CASE WHEN NOT pg_is_in_recovery() THEN system_identifier END FROM pg_control_system()
			WHERE EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot' AND wal_status = 'lost')" &&
		[[ $answer == "$(control 'Database system identifier')" ]]
}

# Two primaries of one cluster would each take writes that the other lacks. A
# node that does not answer is no reason not to start: it may be gone for good.
#
# Only who has followed this node, by its slot, can have been promoted in its
# place. So one that was promoted itself does not wait, and answers one that does.
other_was_promoted() {
	local before=$SECONDS patience=0 longer=0 identifier timeline
	if [[ -e $PGDATA/pg_replslot/$slot ]]; then
		patience=10 longer=30 # seconds: it may be starting as well. The name is known once its container runs
	fi
	until ask "SELECT CASE WHEN NOT pg_is_in_recovery()
			THEN system_identifier || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8) END FROM pg_control_system()" 5 2>/dev/null; do
		((SECONDS - before < longer)) || return
		((SECONDS - before < patience)) || run timeout 5 getent hosts "$OTHER_NODE" >/dev/null || return
		run sleep 0.2
	done
	read -r identifier timeline <<<"$answer"
	[[ $identifier == "$(control 'Database system identifier')" &&
		$timeline > $(printf '%08X' "$(control "Latest checkpoint's TimeLineID")") ]]
}

if [[ -e ${PGDATA%/*}/PG_VERSION ]]; then
	say "this volume holds data of the recipe without the overlay: dump them there, load them into a new project here"
	exit 1
fi
write_passfile
if [[ -e $replaced && ! -e $PGDATA ]]; then
	mv "$making" "$PGDATA" # it is whole: the old one was put aside for it
	rm -f "$rejoin"
fi
if [[ -e $PGDATA && -e $rejoin ]]; then
	say "waiting for an answer of $OTHER_NODE, to clone it: $rejoin wants that"
	until ask "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'primary' END" 2>/dev/null; do
		[[ -e $rejoin ]] || break # somebody thought better of it
		run sleep 1
	done
	if [[ $answer != primary ]]; then
		say "$OTHER_NODE is no primary that could be cloned: the data here are kept"
		rm -f "$rejoin"
	fi
fi
if [[ ! -e $PGDATA ]]; then
	case $FIRST_ROLE in
		# Beside a node that has data, an empty volume is a lost one, and no new cluster.
		primary) if ask "SELECT 1" 5 2>/dev/null; then clone; else initialise "$@"; fi ;;
		standby) clone ;;
	esac
elif [[ -e $rejoin ]]; then
	clone
elif [[ -e $PGDATA/standby.signal ]]; then
	if slot_is_lost; then
		say "slot $slot is lost: this standby can never catch up"
		clone
	fi
elif other_was_promoted; then
	say "$OTHER_NODE was promoted, so this node is not started as a primary; its data are kept."
	say "To drop them and make it a standby: touch $rejoin"
	until [[ -e $rejoin ]]; do
		run sleep 1
	done
	clone
fi
rm -rf "$making" "$replaced" # of a clone that was cut off
exec "$@"
