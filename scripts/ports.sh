# Who listens on a TCP port of this machine. Sourced, not run.
# shellcheck shell=bash

# port_holder PORT: names who holds it; prints nothing when it is free.
port_holder() {
	local container process
	container=$(docker ps --filter "publish=$1" --format 'the container {{.Names}} ({{.Image}})' | head -n1)
	if [ -n "$container" ]; then
		echo "$container"
	elif [ -r /proc/net/tcp ]; then
		port_holder_on_linux "$1"
	elif command -v lsof >/dev/null; then
		process=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -Fcp | sed -n 's/^p/process /p; s/^c//p' | paste -sd' ' -)
		echo "$process"
	fi
}

# From /proc, see proc(5): the listening socket's inode, then the process that
# has it open. Only root sees the processes of others.
port_holder_on_linux() {
	local inode link process
	inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }')
	[ -n "$inode" ] || return 0
	link=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null) || true
	if [ -z "$link" ]; then
		echo "a process that cannot be seen from here (try as root)"
		return
	fi
	process=${link#/proc/}
	process=${process%%/*}
	echo "$(cat "/proc/$process/comm") (process $process)"
}
