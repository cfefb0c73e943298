#!/usr/bin/env bash
# Makes sure that `docker compose` is there, and `docker-compose` too. One that
# is installed is used, unless it is too old for overlays/hardened.yml; otherwise
# the version pinned in go.mod is built, and takes its place for this user.
# With the argument `ahead` it only compiles what that build will need, and only
# where there is no docker command yet, and so no compose either.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

module=github.com/docker/compose/v2
plugin=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-compose

oldest=2.24.4 # the first that knows !override

# installed: whether one is there that is new enough. Else $why says what is wrong.
installed() {
	local major minor patch
	why="docker compose v2 is not installed"
	version=$(docker compose version --short 2>/dev/null) || return 1
	version=${version#v}
	IFS=. read -r major minor patch <<<"${version%%[!0-9.]*}"
	[ "${major:-0}" -ge 2 ] || return 1
	why="docker compose $version is too old: overlays/hardened.yml needs $oldest at least"
	((major * 1000000 + ${minor:-0} * 1000 + ${patch:-0} >= 2024004))
}

pin() {
	command -v go >/dev/null || die "no go command to build docker compose with" "do: install Go from https://go.dev/dl, or docker compose"
	pinned=$(go list -m -f '{{.Version}}' $module)
}

build() {
	local new
	pin
	say "building docker compose $pinned from go.mod into $plugin (a minute or two)"
	mkdir -p "$(dirname "$plugin")"
	new=$(mktemp "$(dirname "$plugin")/.docker-compose.XXXXXX")
	# shellcheck disable=SC2064 # the name is known now
	trap "rm -f '$new'" EXIT
	without_downloads go build -ldflags "-s -w -X $module/internal.Version=$pinned" -o "$new" $module/cmd
	chmod 755 "$new"
	mv -f "$new" "$plugin" # at once: an interrupted build leaves no half plugin
	trap - EXIT
	installed || die "docker does not run the plugin at $plugin: $why" "$(docker compose version 2>&1 || true)"
}

# The folders for a person's own commands that are on PATH and can be written.
own_folder() {
	local folder
	for folder in /usr/local/bin "$HOME/.local/bin" "$HOME/bin"; do
		case :$PATH: in *":$folder:"*)
			if [ -w "$folder" ]; then
				echo "$folder"
				return
			fi
			;;
		esac
	done
}

offer_old_name() {
	local source folder
	source=$(docker info --format '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}' 2>/dev/null) || true
	folder=$(own_folder)
	if [ -z "$source" ] || [ -z "$folder" ]; then
		say "docker-compose is not on PATH and there is no folder on PATH to put it in: write \`docker compose\` instead"
		return
	fi
	say "docker-compose is not on PATH: linking $folder/docker-compose to $source"
	ln -sfn "$source" "$folder/docker-compose"
}

if [ "${1:-}" = ahead ]; then
	if ! command -v docker >/dev/null && may_set_up; then
		pin
		say "compiling docker compose $pinned from go.mod meanwhile (some minutes)"
		without_downloads go list -export -deps $module/cmd >/dev/null # all but the linking
	fi
	exit
fi
command -v docker >/dev/null || die "there is no docker command" "do: make setup"
if installed; then
	say "docker compose $version is installed, nothing to do"
elif may_set_up; then
	say "$why"
	build
	say "docker compose $version is ready"
else
	die "$why" "SETUP=never: it was not built" \
		"do: install your system's docker compose v2, or repeat without SETUP=never to build it from go.mod"
fi
if ! command -v docker-compose >/dev/null && may_set_up; then
	offer_old_name
fi
