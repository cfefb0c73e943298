#!/usr/bin/env bash
# Makes sure that a Docker engine answers. One that can be reached (DOCKER_HOST,
# context, default socket) is used as it is; only a bare Debian or Ubuntu gets
# one installed and started, and only from root.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/apt.sh

default_socket=unix:///var/run/docker.sock
log=/var/log/dockerd.log
start_limit=60 # seconds until a started engine must answer

why="there is no docker command"
answers() {
	command -v docker >/dev/null || return 1
	local said
	if said=$(docker version --format '{{.Server.Version}}' 2>&1) && [ -n "$said" ]; then
		version=$said
		return 0
	fi
	why=${said//$'\n'/ }
	why=${why# }
	return 1
}

endpoint() {
	if command -v docker >/dev/null; then
		docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || echo "an unknown context"
	else
		echo "${DOCKER_HOST:-$default_socket}"
	fi
}

install_engine() {
	local packages=(docker.io)
	# Recommended by docker.io, but only where they apply.
	[ -e /etc/ssl/certs/ca-certificates.crt ] || packages+=(ca-certificates)
	! grep -qs Y /sys/module/apparmor/parameters/enabled || packages+=(apparmor)
	[ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] || packages+=(cgroupfs-mount)
	apt_install "${packages[@]}"
	# Newer releases package the command apart from the engine.
	command -v docker >/dev/null || apt_install docker-cli
}

# alive PID: it runs, and is not just a dead child that nobody waited for.
alive() { grep -qs '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status"; }

# pid_of NAME: a live process of that name, from /proc, which every Linux has.
pid_of() {
	local comm pid
	for comm in /proc/[0-9]*/comm; do
		pid=${comm//[!0-9]/}
		if grep -qxs "$1" "$comm" && alive "$pid"; then
			echo "$pid"
			return
		fi
	done
}

# A killed engine leaves its pid files. Their numbers may belong to another
# process by now, which a new engine would take for the old one.
remove_stale_pids() {
	rm -f /var/run/docker.pid
	local file=/var/run/docker/containerd/containerd.pid
	if [ -e "$file" ] && [ "$(cat "/proc/$(cat "$file")/comm" 2>/dev/null)" != containerd ]; then
		rm -f "$file"
	fi
}

# May root raise its own importance for the out-of-memory killer?
may_adjust_oom_score() {
	local capabilities
	capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	(((0x$capabilities >> 24) & 1)) # CAP_SYS_RESOURCE
}

start_engine() {
	if [ -d /run/systemd/system ]; then
		say "starting the engine: systemctl start docker"
		systemctl start docker || die "systemctl could not start docker" "see: journalctl -u docker"
		pid=$(pid_of dockerd)
	elif pid=$(pid_of dockerd) && [ -n "$pid" ]; then
		say "dockerd (process $pid) runs but does not answer yet, waiting for it"
	else
		remove_stale_pids
		local flags=()
		if ! may_adjust_oom_score && [[ "$(dockerd --help)" == *--oom-score-adjust* ]]; then
			flags=(--oom-score-adjust 0)
		fi
		say "starting the engine: dockerd${flags[*]:+ ${flags[*]}} (log: $log)"
		# Its own session: neither Ctrl-C nor the end of this terminal reaches it.
		setsid dockerd ${flags[@]+"${flags[@]}"} </dev/null >>"$log" 2>&1 &
		pid=$!
	fi
}

await_engine() {
	local deadline=$((SECONDS + start_limit))
	until answers; do
		if ! alive "$pid"; then
			tail -n 5 "$log" >&2 2>/dev/null || true
			die "dockerd ended before it answered" "its log: $log (or journalctl -u docker)"
		fi
		[ "$SECONDS" -lt "$deadline" ] ||
			die "dockerd (process $pid) did not answer within $start_limit s: $why" "its log: $log (or journalctl -u docker)"
		sleep 0.2
	done
}

if answers; then
	say "Docker Engine $version answers at $(endpoint), nothing to do"
	exit
fi

where=$(endpoint)
tried="tried: $where (from DOCKER_HOST, the docker context or the default socket): $why"
case $why in *"permission denied"*)
	die "no permission for the Docker engine at $where" "$tried" \
		"do: sudo usermod -aG docker $(id -un), log in again, and repeat; or run this with sudo"
	;;
esac
[ "$where" = "$default_socket" ] ||
	die "no Docker engine answers at $where" "$tried" \
		"do: start that engine, or unset DOCKER_HOST or choose another context (docker context ls), and repeat"
may_set_up ||
	die "no Docker engine answers" "$tried" \
		"SETUP=never: none was installed or started" \
		"do: start an engine so that \`docker version\` shows a server, or repeat without SETUP=never as root on Debian or Ubuntu"
may_apt ||
	die "no Docker engine answers" "$tried" \
		"not tried: to install one, which needs root on Debian or Ubuntu" \
		"do: start Docker (Docker Desktop, colima, systemctl start docker) and repeat; on Debian or Ubuntu: sudo scripts/engine.sh"

say "no Docker engine answers at $where"
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
	install_engine
fi
start_engine
await_engine
say "Docker Engine $version answers at $where"
