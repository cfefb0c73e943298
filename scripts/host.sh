# Where the lease files of test runs can be looked at. Sourced, not run.
# shellcheck shell=bash

# here: this machine, its present start and, in a container, that container, as
# host() in stack/session.go has it on the label of a run.
here() {
	local file text
	printf '%s' "$(uname -n)"
	for file in /etc/machine-id /proc/sys/kernel/random/boot_id; do
		[ -r "$file" ] && read -r text <"$file" && [ -n "$text" ] && printf ' %s' "$text"
	done
	text=$(readlink /proc/self/ns/mnt) && printf ' %s' "$text"
	printf '\n'
}
