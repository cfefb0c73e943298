# How the scripts speak to people. Sourced, not run.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

# die ERROR [LINE...]: one error with what was tried and what to do, then the end.
die() {
	printf 'error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "${@//$'\n'/$'\n'  }" >&2
	exit 1
}

# may_set_up: whether anything may be installed, built or started here.
may_set_up() { [ "${SETUP:-}" != never ]; }

# without_downloads COMMAND...: leaves out the line that go prints for every module.
without_downloads() { "$@" 2> >(grep -v '^go: downloading ' >&2); }
