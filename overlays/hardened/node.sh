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
if [[ $1 != postgres ]]; then
	exec "$@" # docker compose run NODE psql: no server, and no business with the data
fi

readonly making=$PGDATA.making replaced=$PGDATA.replaced
readonly rejoin=${PGDATA%/*}/rejoin # whoever makes this file wants a new clone here
readonly passfile=$HOME/.pgpass slot=replication_slot port=${PGPORT:-5432}
readonly make_slot="CREATE_REPLICATION_SLOT $slot PHYSICAL RESERVE_WAL"
# Channel binding proves that whoever ends the TLS connection knows the
# password: it needs no certificate authority. A host that vanishes is noticed.
readonly other="host=$OTHER_NODE user=replicator passfile=$passfile sslmode=require channel_binding=require connect_timeout=10 \
keepalives_idle=10 keepalives_interval=5 keepalives_count=6"
readonly heard=/dev/shm/heard complained=/dev/shm/complained

say() { printf 'node.sh: %s\n' "$*" >&2; }

# A shell acts on a signal only between two commands, but at once in a wait.
trap 'say "stopped before the server was started"; exit 0' INT TERM
run() {
	"$@" &
	wait $!
}

write_passfile() {
	local role password
	for role in postgres replicator; do
		password=$(<"/run/secrets/${role}_password")
		if [[ -z $password || $password == *$'\r'* ]]; then
			say "/run/secrets/${role}_password is empty or has lines of Windows: write it anew"
			exit 1
		fi
		password=${password//\\/\\\\}
		printf '*:*:*:%s:%s\n' "$role" "${password//:/\\:}"
	done | (umask 077 && cat >"$passfile")
}

# ask SECONDS CONNECTION COMMAND... puts what the other node answers into answer;
# without one it fails. For replication commands the role needs no more than a
# standby does: neither a database nor a line of its own in pg_hba.conf.
#
# Source: PostgreSQL documentation, "Streaming Replication Protocol".
readonly replication=replication=true sql=dbname=postgres
ask() {
	local seconds=$1 connection=$2
	answer=
	shift 2
	# A command substitution would keep a signal waiting.
	run timeout "$seconds" psql --no-psqlrc --tuples-only --no-align --no-password --set=ON_ERROR_STOP=1 \
		--dbname="$other $connection" "${@/#/--command=}" >"$heard" 2>"$complained" && answer=$(<"$heard")
}

# identify SECONDS asks who the other node is: of which cluster, on which
# timeline, and whether it is in recovery (on, off).
identify() {
	ask "$1" "$replication" IDENTIFY_SYSTEM 'SHOW in_hot_standby' || return
	read -r identifier timeline _ recovery <<<"${answer//[$'\n'|]/ }"
}

listens() { run timeout 5 bash -c ": </dev/tcp/$OTHER_NODE/$port" 2>/dev/null; }

control() { pg_controldata "$PGDATA" | sed -n "s/^$1: *//p"; }

# What is in the making need not survive a crash: one sync takes the place of
# many. An older directory goes only when the new one is whole.
install_directory() {
	run sync --file-system "$making"
	if [[ -e $PGDATA ]]; then
		mv "$PGDATA" "$replaced"
	fi
	mv "$making" "$PGDATA"
	run rm -rf "$replaced" "$rejoin"
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
		run rm -rf "$making"
		run pg_basebackup --dbname="$other" --pgdata="$making" --write-recovery-conf --slot="$slot" \
			--checkpoint=fast --no-password --no-sync && break
		# A node that was promoted has no slot yet. One that is there cannot be made.
		if ! ask 15 "$replication" "$make_slot"; then # a try may cost the other node a checkpoint and a read of all its data
			run sleep "$((tenths / 10)).$((tenths % 10))"
			tenths=$((tenths < 300 ? tenths * 2 : 600))
		fi
	done
	install_directory
}

# tend_slot looks whether the other node, where it is the primary of what is
# here, keeps WAL for this one. A slot that somebody dropped, or that pg_rewind
# left behind, is made anew. Without the WAL of its slot a standby never catches
# up: all that it holds is a past state of the primary, which has just answered.
tend_slot() {
	if ! identify 15 || [[ $recovery != off || $identifier != "$(control 'Database system identifier')" ]]; then
		return
	fi
	if ask 15 "$replication" "READ_REPLICATION_SLOT $slot" && [[ $answer == '||' ]]; then
		say "$OTHER_NODE has no slot $slot: making it"
		ask 15 "$replication" "$make_slot" || true
	elif [[ $(control 'Database cluster state') == *recovery ]] &&
		ask 15 "$sql" "SELECT wal_status FROM pg_replication_slots WHERE slot_name = '$slot'" && [[ $answer == lost ]]; then
		say "slot $slot is lost: this standby can never catch up"
		clone
	fi
}

# Two primaries of one cluster would each take writes that the other lacks. A
# node that does not answer is no reason not to start: it may be gone for good.
#
# Only who has followed this node, by its slot, can have been promoted in its
# place. So one that was promoted itself does not wait, and answers one that does.
other_was_promoted() {
	local before=$SECONDS patience=0 longer=0
	if [[ -e $PGDATA/pg_replslot/$slot ]]; then
		# Seconds: it may be starting as well. Compose knows its name once its container runs.
		patience=${PATIENCE:-10} longer=30
	fi
	until identify 5; do
		if ((SECONDS - before >= patience)) &&
			{ ((SECONDS - before >= longer)) || ! run timeout 5 getent hosts "$OTHER_NODE" >/dev/null; }; then
			if listens; then
				say "$OTHER_NODE does not say who it is, and this node starts beside it: $(<"$complained")"
			fi
			return 1
		fi
		run sleep 0.2
	done
	[[ $recovery == off && $identifier == "$(control 'Database system identifier')" ]] &&
		((timeline > $(control "Latest checkpoint's TimeLineID")))
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
	recovery=
	until identify 15; do
		[[ -e $rejoin ]] || break # somebody thought better of it
		run sleep 1
	done
	if [[ $recovery != off ]]; then
		say "$OTHER_NODE is no primary that could be cloned: the data here are kept"
		rm -f "$rejoin"
	fi
fi
if [[ ! -e $PGDATA ]]; then
	case $FIRST_ROLE in
		# Beside a node that serves, an empty volume is a lost one, and no new cluster. Nobody waits for
		# one that does not: health.sh notices an older cluster that shows up later.
		primary) if identify 5; then clone; else initialise "$@"; fi ;;
		standby) clone ;;
	esac
elif [[ -e $rejoin ]]; then
	clone
elif [[ -e $PGDATA/standby.signal ]]; then
	tend_slot
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
