#!/usr/bin/env bash
# Deploys deploy/swarm.yml to a swarm of two engines, each in a network
# namespace of its own on this machine, and ends when the standby streams
# across them. Needs root. It takes away all that it made.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

[ "$(id -u)" -eq 0 ] || die "two engines need root"
folder=$(mktemp -d)
run=pms$$ # begins names of this run's own
on() { docker -H "unix://$folder/$1/docker.sock" "${@:2}"; }

# shellcheck disable=SC2317,SC2329 # reached through the trap
take_away() {
	trap - EXIT
	for i in 2 1; do
		on "$i" swarm leave --force >/dev/null 2>&1 || true
		[ -e "$folder/$i/pid" ] && kill "$(cat "$folder/$i/pid")" && tail --pid="$(cat "$folder/$i/pid")" -f /dev/null
		ip netns del "$run-$i" || true
		find /sys/fs/cgroup -depth -type d -path "*/$run-$i*" -exec rmdir {} + 2>/dev/null || true
	done
	rm -rf "$folder"
}
trap take_away EXIT
trap 'exit 130' INT TERM HUP

say "two engines, joined by a cable"
ip netns add "$run-1"
ip netns add "$run-2"
ip link add eth0 netns "$run-1" type veth peer name eth0 netns "$run-2"
for i in 1 2; do
	ip -n "$run-$i" addr add "10.99.0.$i/24" dev eth0
	ip -n "$run-$i" link set eth0 up
	ip -n "$run-$i" link set lo up
	mkdir "$folder/$i"
	# Only the network is apart: an engine looks for its cgroups in /sys.
	# shellcheck disable=SC2016 # the inner shell expands it
	nsenter --net="/run/netns/$run-$i" unshare --mount --uts sh -c 'hostname "$1" && exec dockerd --data-root "$2/data" \
		--exec-root "$2/exec" --pidfile "$2/pid" --host "unix://$2/docker.sock" --cgroup-parent "/$1"' \
		sh "$run-$i" "$folder/$i" >"$folder/$i/log" 2>&1 &
done
docker save postgres:15.8 -o "$folder/image.tar"
for i in 1 2; do
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout 30 sh -c 'until docker -H "unix://$1/docker.sock" version >/dev/null 2>&1; do sleep 0.2; done' sh "$folder/$i" ||
		die "engine $i does not answer" "$(tail -n 1 "$folder/$i/log")"
	on "$i" load -q -i "$folder/image.tar" >/dev/null
done

say "docker stack deploy --compose-file deploy/swarm.yml db"
on 1 swarm init --advertise-addr 10.99.0.1 >/dev/null
on 2 swarm join --token "$(on 1 swarm join-token -q worker)" 10.99.0.1:2377 >/dev/null
on 1 node update --label-add postgres_master=true "$run-1" >/dev/null
on 1 node update --label-add postgres_slave=true "$run-2" >/dev/null
for secret in postgres_password replicator_password; do
	head -c 24 /dev/urandom | base64 | on 1 secret create "$secret" - >/dev/null
done
on 1 stack deploy --resolve-image never --compose-file deploy/swarm.yml db >/dev/null 2>&1

primary() { on 1 ps -q -f name=db_postgres_master; }
for _ in $(seq 60); do
	state=$(timeout 10 docker -H "unix://$folder/1/docker.sock" exec "$(primary)" psql -U postgres -d mydatabase -Atc \
		"SELECT application_name || ' at ' || host(client_addr) || ' is ' || state FROM pg_stat_replication WHERE state = 'streaming' AND application_name <> 'pg_basebackup'" 2>/dev/null) || state=
	if [ -n "$state" ] && [ -n "$(on 2 ps -q -f name=db_postgres_slave)" ]; then
		say "$state, from the engine $run-2"
		exit 0
	fi
	sleep 1
done
on 1 stack ps db --no-trunc --format '{{.Name}} {{.Node}} {{.CurrentState}} {{.Error}}' >&2
die "the standby does not stream"
