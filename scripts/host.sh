# Where the lease files of test runs can be looked at. Sourced, not run.
# shellcheck shell=bash

# here: this machine and, in a container, that container, as
# host() in stack/session.go has it on the label of a run.
here() {
	local text file=/etc/machine-id
	printf '%s' "$(uname -n)"
	text=$(cat "$file" 2>/dev/null) || text=$(sysctl -n kern.uuid 2>/dev/null) || text= # macOS has no such file
	[ -z "$text" ] || printf ' %s' "$text"
	text=$(readlink /proc/self/ns/mnt) && printf ' %s' "$text"
	printf '\n'
}
