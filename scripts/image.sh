#!/usr/bin/env bash
# Makes sure that the recipe's image postgres:15.8 is there: a local one is
# used, otherwise it is pulled, otherwise the local stand-in is built. A local
# stand-in that image/ has outgrown is built anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/provenance.sh

first_word_limit=60 # seconds until the registry must have said something
stall_limit=1800    # seconds for a layer: only its end is told where there is no terminal

present() { docker image inspect $image >/dev/null 2>&1; }

# Shows the pull as it goes and gives up on a registry that stays silent.
pull() {
	local line limit=$first_word_limit
	exec 3< <(exec docker pull $image 2>&1)
	local puller=${!:-}
	while IFS= read -r -t "$limit" line <&3; do
		say "$line"
		limit=$stall_limit
	done
	[ -z "$puller" ] || kill "$puller" 2>/dev/null || true
	exec 3<&-
	present
}

if present; then
	if is_stand_in && may_set_up; then
		image/build.sh || say "the stand-in could not be built anew, going on with the one there is"
	fi
	say "$(provenance), nothing to do"
	exit
fi
docker version >/dev/null 2>&1 || die "no Docker engine answers" "do: make setup"
may_set_up ||
	die "the image $image is not there" "SETUP=never: it was neither pulled nor built" \
		"do: docker pull $image, or repeat without SETUP=never"

say "pulling $image"
if pull; then
	say "$(provenance)"
	exit
fi
say "$image could not be pulled: building the local stand-in instead (image/build.sh)"
say "the stand-in is not the Docker Official Image: Debian's PostgreSQL 15 under the same tag"
image/build.sh ||
	die "there is no image $image" "tried: docker pull $image, then image/build.sh; their lines above say why" \
		"do: check the network (Docker Hub, or Debian's package mirror for the stand-in) and repeat, or docker load the image"
say "$(provenance)"
