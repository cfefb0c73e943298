#!/usr/bin/env bash
# Does all the set-up that is missing: the engine first, then the image and
# docker compose side by side. Where there is no docker at all, compose is
# compiled while the engine is installed. A second run finds nothing to do.
set -euo pipefail
set -m # each step in its own process group, so that Ctrl-C can end whole steps
cd "$(dirname "$0")/.."
. scripts/say.sh

steps=() # process groups of the steps under way
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
end_steps() {
	for step in ${steps[@]+"${steps[@]}"}; do kill -TERM -- "-$step" 2>/dev/null || true; done
	set +m # no words of the shell about ended jobs
	wait
}
# shellcheck disable=SC2317,SC2329 # reached through the trap
stop() {
	trap - INT TERM HUP
	end_steps
	say "interrupted" >&2
	exit 130
}
trap stop INT TERM HUP

# run NAME SCRIPT [ARGUMENT...]: the script in the background, each of its lines
# with its name.
run() {
	{ "${@:2}" 2>&1 | while IFS= read -r line; do printf '%-8s %s\n' "$1:" "${line#"$1: "}"; done | tee "$logs/$1"; } </dev/null &
	steps+=($!)
}

# finish NAME...: waits for the steps in the order they were run.
finish() {
	local failed=()
	for name in "$@"; do
		wait "${steps[0]}" || failed+=("$name")
		steps=("${steps[@]:1}")
	done
	[ ${#failed[@]} -gt 0 ] || return 0
	end_steps
	for name in "${failed[@]}"; do
		say "setup: step $name failed:" >&2
		sed -n '/error: /,$p' "$logs/$name" >&2
	done
	exit 1
}

command -v go >/dev/null || die "there is no go command" "do: install Go from https://go.dev/dl (go.mod says which version at least)"
run engine scripts/engine.sh
run compose scripts/compose-plugin.sh ahead
finish engine
run image scripts/image.sh
finish compose
run compose scripts/compose-plugin.sh
finish image compose
say "setup:   ready"
