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
readonly passfile=$HOME/.pgpass slot=replication_slot
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

# ask prints what the other node answers to a query; without an answer it fails.
ask() {
	run timeout 15 psql --no-psqlrc --tuples-only --no-align --no-password \
		--dbname="$other dbname=$POSTGRES_DB" --command="$1"
}

control() { pg_controldata "$PGDATA" | sed -n "s/^$1: *//p"; }

# The other node is this cluster's primary, and a condition holds there.
other_is_primary() {
	local answer
	answer=$(ask "SELECT system_identifier FROM pg_control_system() WHERE NOT pg_is_in_recovery() AND $1") &&
		[[ $answer == "$(control 'Database system identifier')" ]]
}

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

clone() {
	say "cloning $OTHER_NODE"
	until
		rm -rf "$making"
		run pg_basebackup --dbname="$other" --pgdata="$making" --write-recovery-conf --slot="$slot" \
			--checkpoint=fast --no-password --no-sync
	do
		# A node that was promoted has no slot yet.
		ask "SELECT 'made ' || pg_create_physical_replication_slot('$slot') WHERE NOT EXISTS
			(SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" || run sleep 0.1
	done
	install_directory
}

# Without the WAL of its slot a standby never catches up. All that it holds is
# a past state of the primary, which has just answered.
slot_is_lost() {
	[[ $(control 'Database cluster state') == *recovery ]] &&
		other_is_primary "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot' AND wal_status = 'lost')"
}

# Two primaries of one cluster would each take writes that the other lacks.
other_was_promoted() {
	local timeline
	timeline=$(printf '%08X' "$(control "Latest checkpoint's TimeLineID")")
	other_is_primary "left(pg_walfile_name(pg_current_wal_lsn()), 8) > '$timeline'"
}

if [[ -e ${PGDATA%/*}/PG_VERSION ]]; then
	say "this volume holds data of the recipe without the overlay: dump them there, load them into a new project here"
	exit 1
fi
write_passfile
if [[ ! -e $PGDATA ]]; then
	case $FIRST_ROLE in
		primary) initialise "$@" ;;
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
exec "$@"
