#!/usr/bin/env bash
# Builds the stand-in for postgres:15.8 from Debian's own packages, without any
# image registry, and tags it in the local image store. See README.md.
#
# usage: image/build.sh [TAG]           TAG defaults to postgres:15.8
#   REBUILD=1               build although the image is up to date
#   SETUP=never             never install anything on this machine
#   DEBIAN_MIRROR           URL of a Debian mirror that has bookworm
#   DEBIAN_SECURITY_MIRROR  its security archive (default: DEBIAN_MIRROR-security)
set -euo pipefail
umask 022
export PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")"

tag=${1:-postgres:15.8}
suite=bookworm # the Debian release that has PostgreSQL 15
public_mirror=http://deb.debian.org/debian
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
recipe_label=io.github.postgres-master-slave.image.recipe
recipe_files=(build.sh Dockerfile packages.txt docker-ensure-initdb.sh docker-entrypoint.sh hooks/*.sh)

say() { printf 'image: %s\n' "$*"; }

# fail PROBLEM [HINT...] prints one error and ends.
fail() {
	printf 'error: %s\n' "$1" >&2
	shift
	[[ $# == 0 ]] || printf '  %s\n' "$@" >&2
	exit 1
}

# has_stand_in succeeds if the tag already names what would be built. Another
# image under that name is not ours to replace.
has_stand_in() {
	local found
	found=$(docker image inspect --format "{{index .Config.Labels \"$recipe_label\"}}" "$tag" 2>/dev/null) || return 1
	[[ -n $found ]] || fail "$tag exists and is not the stand-in" "do: use it, or remove it first: docker image rm $tag"
	[[ $found == "$recipe" && -z ${REBUILD:-} ]]
}

# need_tools installs mmdebstrap and Debian's keys where they are missing.
need_tools() {
	local missing=()
	command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
	[[ -e $keyring ]] || missing+=(debian-archive-keyring)
	[[ ${#missing[@]} -gt 0 ]] || return 0

	local todo="do: apt-get install ${missing[*]} (Debian or Ubuntu), or load the image from elsewhere: docker load"
	[[ ${SETUP:-} != never ]] || fail "missing: ${missing[*]}; SETUP=never forbids installing" "$todo"
	if [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then
		fail "missing: ${missing[*]}; installing takes root and apt-get" "$todo"
	fi
	say "installing ${missing[*]}"
	# A dead third-party source must not stop this: the install decides.
	apt-get update >"$log" 2>&1 || say "apt-get update failed for a source, going on"
	if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
		fail "installing ${missing[*]} failed: $(tail -n 1 "$log")" "$todo"
	fi
}

# sources prints the apt sources of the suite: DEBIAN_MIRROR, or the mirrors of
# Debian that this machine's own apt uses, which carry all releases. A third
# party's archive is none, whatever its address is like.
sources() {
	local uri release security=${DEBIAN_SECURITY_MIRROR:-${DEBIAN_MIRROR:+${DEBIAN_MIRROR%/}-security}}
	if [[ -n ${DEBIAN_MIRROR:-} ]]; then
		printf '%s\n' "$DEBIAN_MIRROR $suite" "$DEBIAN_MIRROR $suite-updates" "$security $suite-security"
	elif command -v apt-get >/dev/null; then
		# shellcheck disable=SC2016
		apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
			awk '$3 == "main" && $4 == "Debian" { print $1, $2 }' |
			while read -r uri release; do
				case $release in
					*-security | */updates) echo "$uri $suite-security" ;;
					*-updates) echo "$uri $suite-updates" ;;
					*-*) ;; # backports and the like
					*) echo "$uri $suite" ;;
				esac
			done
	fi | sort -u | sed "s|.*|deb [signed-by=$keyring] & main|"
}

# interruptible COMMAND... waits for the command so that a signal to this script
# ends it at once: bash runs no trap while it waits for a foreground command.
interruptible() {
	local status=0
	"$@" &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

# clean_up ends what is under way and removes all temporary files.
clean_up() {
	[[ -z $child ]] || { kill -KILL "$child" && wait "$child"; } 2>/dev/null || true
	rm -rf --one-file-system "$work"
}

# build_rootfs writes rootfs.tar into the context. mmdebstrap's own steps are
# shown, all else goes to the log.
build_rootfs() {
	sources >"$work/sources"
	if [[ ! -s $work/sources ]]; then # Ubuntu's apt, for one, knows Ubuntu's mirrors only
		say "this machine's apt uses no mirror of Debian: taking $public_mirror"
		DEBIAN_MIRROR=$public_mirror sources >"$work/sources"
	fi
	if ! grep -q " $suite main" "$work/sources" || ! grep -q " $suite-security main" "$work/sources"; then
		fail "this machine's apt sources name no Debian mirror with its security archive" \
			"do: set DEBIAN_MIRROR, and DEBIAN_SECURITY_MIRROR if that is not at DEBIAN_MIRROR-security"
	fi
	# The way to the mirror: proxies and the like.
	apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|Check|Max|Retries|Force)' >"$work/apt.conf" || true

	# In namespaces of its own, so that its end is the end of all its processes
	# and mounts; and in memory where there is enough, to spare the disk.
	local isolated=(unshare --mount --pid --fork --kill-child --mount-proc)
	"${isolated[@]}" true 2>/dev/null || isolated=()
	# shellcheck disable=SC2016
	if [[ ${#isolated[@]} -gt 0 ]] && (($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) > 3000000)); then
		isolated+=(sh -c 'mount -t tmpfs -o size=2g tmpfs "$TMPDIR" && exec "$@"' sh)
	fi

	local packages
	packages=$(sed 's/#.*//' packages.txt | xargs | tr ' ' ,)
	say "building the root file system from Debian $suite, about a minute"
	TMPDIR=$work/tmp interruptible "${isolated[@]}" mmdebstrap --variant=minbase --include="$packages" \
		--aptopt="$work/apt.conf" --skip=cleanup/run --skip=output/dev --hook-directory=hooks \
		"$suite" "$context/rootfs.tar" "$work/sources" > >(tee "$log" | sed -un 's/^I: /image:   /p') 2>&1 ||
		explain_rootfs
}

# explain_rootfs turns the end of the log into one error.
explain_rootfs() {
	if grep -qE 'Could not (resolve|connect)|Temporary failure|Unable to connect|Connection (failed|timed out)' "$log"; then
		fail "the Debian mirror cannot be reached: $(sed -E 's/^deb .*\] (.*) main$/\1/' "$work/sources" | paste -sd,)" \
			"do: check the network and apt's proxy settings, or set DEBIAN_MIRROR"
	fi
	fail "building the root file system failed; the last lines:" "$(tail -n 15 "$log")"
}

# installed PACKAGE prints its version in rootfs.tar.
installed() {
	tar -xOf "$context/rootfs.tar" ./var/lib/dpkg/status |
		awk -v package="$1" '/^Package: / { found = $2 == package } found && /^Version: / { print $2 }'
}

# build_image turns the context into an image and prints nothing but its id.
build_image() {
	local package gosu
	package=$(installed postgresql-15)
	gosu=$(installed gosu)
	install -m 0644 Dockerfile "$context/"
	install -m 0755 docker-ensure-initdb.sh docker-entrypoint.sh "$context/"
	say "building the image with PostgreSQL ${package%%-*} (Debian package $package)"
	# The classic builder puts the image straight into the engine's store.
	DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} interruptible docker build --iidfile "$work/id" \
		--build-arg PG_VERSION="$package" --build-arg SERVER_VERSION="${package%%-*}" \
		--build-arg GOSU_VERSION="${gosu%%-*}" --build-arg RECIPE="$recipe" "$context" >"$log" 2>&1 ||
		fail "docker build failed; the last lines:" "$(tail -n 15 "$log")"
}

# check_image starts the image once: what it says of itself must be true.
# shellcheck disable=SC2016
check_image() {
	docker run --rm --network none --user postgres "$1" bash -ec '
		[[ $(dpkg-query -W -f "\${Version}" postgresql-15) == "$PG_VERSION" ]]
		[[ $(postgres --version) == *" ${PG_VERSION%%-*} "* ]]
		[[ $(stat -c "%a %u" /run/postgresql/ "$PGDATA" | xargs) == "3777 999 1777 999" ]]
		[[ $(locale -a) == *en_US.utf8* ]]' >"$log" 2>&1 ||
		fail "the new image is not what it should be, $tag is unchanged" "$(tail -n 15 "$log")"
}

docker version >/dev/null 2>&1 || fail "no Docker engine answers" "do: make setup, or start the engine"
recipe=$(cat "${recipe_files[@]}" | sha256sum | cut -c1-16)
if has_stand_in; then
	say "$tag is the stand-in and up to date, nothing to do"
	exit
fi

child=
work=$(mktemp -d)
context=$work/context
log=$work/log
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 0711 "$work" # mmdebstrap may run as another uid
mkdir "$context" "$work/tmp"

need_tools
build_rootfs
build_image
id=$(cat "$work/id")
check_image "$id"
old=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)
docker tag "$id" "$tag"
# A predecessor that containers still use stays.
[[ -z $old || $old == "$id" ]] || docker image rm "$old" >/dev/null 2>&1 || true
say "done: $tag is the local stand-in, not the Docker Official Image; $(docker run --rm --network none "$tag" postgres --version)"
