#!/usr/bin/env bash
# All linters. Each one runs, even when another has failed.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/apt.sh

tool() { without_downloads go tool -modfile=tools/go.mod "$@"; }

need_shellcheck() {
	command -v shellcheck >/dev/null && return
	if ! may_set_up || ! may_apt; then
		die "shellcheck is missing" "do: install it (apt-get install shellcheck, brew install shellcheck) and repeat"
	fi
	apt_install shellcheck
}

# The files whose first line names a shell, wherever they are, and those that are sourced.
shell_files() {
	find . -name .git -prune -o -path ./build -prune -o -name node_modules -prune -o -type f -size -64k -print0 |
		xargs -0 awk 'FNR == 1 { if (/^#!.*[\/ ](ba|da)?sh( |$)/ || FILENAME ~ /\.sh$/) print FILENAME; nextfile }'
}

check_shell() {
	need_shellcheck
	local files
	files=$(shell_files)
	[ -n "$files" ] || die "found no shell script to check"
	# shellcheck disable=SC2086 # the project's file names have no blanks
	shellcheck --external-sources --source-path=. $files
}

check_tidy() {
	local module
	for module in . tools bench; do # not what bench measures: it would download a hundred modules
		without_downloads go -C "$module" mod tidy -diff || return
	done
}

check_go() {
	say "(the first time golangci-lint itself is built, which takes some minutes)"
	tool golangci-lint run ./... || return # set -e does not hold in a command before ||
	(cd bench && without_downloads go tool -modfile=../tools/go.mod golangci-lint run ./...)
}

# The database is on the network. Without it there is nothing to say.
check_vulnerabilities() { scripts/vulnerabilities.sh; }

failed=()
for check in shell tidy go vulnerabilities; do
	say "lint: $check"
	"check_$check" || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || die "lint failed: ${failed[*]}"
say "lint: clean"
