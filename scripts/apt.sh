# Installing Debian and Ubuntu packages. Sourced after say.sh, not run.
# shellcheck shell=bash

# may_apt: whether this is root on Debian or Ubuntu.
may_apt() {
	[ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

# apt_install PACKAGE...: says so, and shows apt's own words only when it fails.
apt_install() {
	local output
	say "installing $* with apt-get (up to a minute)"
	export DEBIAN_FRONTEND=noninteractive
	# A dead third-party source must not stop this: the install decides.
	output=$(apt-get update 2>&1) || say "apt-get update failed for a source, going on"
	output+=$(apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@" 2>&1) ||
		die "apt-get could not install $*" "$(tail -n 10 <<<"$output")"
}
