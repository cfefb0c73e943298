# Who listens on a TCP port of this machine. Sourced, not run.
# shellcheck shell=bash

# port_holder PORT: names who holds it; prints nothing when it is free.
port_holder() {
	local container listener process
	container=$(docker ps --filter "publish=$1" --format 'the container {{.Names}} ({{.Image}})' | head -n1)
	if [ -n "$container" ]; then
		echo "$container"
		return
	fi
	if command -v ss >/dev/null; then
		listener=$(ss -Hltnp "sport = :$1" | head -n1)
		[ -n "$listener" ] || return 0
		process=$(sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p' <<<"$listener")
	elif command -v lsof >/dev/null; then
		process=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -Fcp | sed -n 's/^p\(.*\)/process \1/p; s/^c//p' | paste -sd' ' -)
		[ -n "$process" ] || return 0
	elif ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
		return 0
	fi
	echo "${process:-a process that cannot be seen from here (as root: ss -ltnp \"sport = :$1\")}"
}
