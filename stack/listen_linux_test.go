package stack_test

import (
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// TestNothingListensBeyondThisMachine looks at the sockets themselves: at
// those of published ports, whatever the compose file says of addresses, and
// at those of this process.
func TestNothingListensBeyondThisMachine(t *testing.T) {
	running := up(t, open(t), stack.Options{Files: []string{two}, Name: "listen"})
	published := map[uint16]bool{}
	for service := range running.Model.Services {
		state, err := running.Inspect(t.Context(), service)
		require.NoError(t, err)
		for _, port := range state.Ports {
			published[port.Port] = true
		}
	}
	require.NotEmpty(t, published)

	mine := ownSockets(t)
	seen := map[uint16]bool{}
	for _, socket := range listening(t) {
		if published[socket.at.Port()] || mine[socket.inode] {
			seen[socket.at.Port()] = true
			assert.True(t, socket.at.Addr().IsLoopback(), "somebody listens on %s", socket.at)
		}
	}
	for port := range published {
		assert.True(t, seen[port], "nobody listens on published port %d: the test looks in the wrong place", port)
	}
}

type socket struct {
	at    netip.AddrPort
	inode string
}

// listening lists the TCP sockets of this network namespace that accept connections.
//
// Source: proc_pid_net(5), /proc/net/tcp.
func listening(t *testing.T) []socket {
	t.Helper()
	const state, listens, inode = 3, "0A", 9
	var all []socket
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(table)
		require.NoError(t, err)
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
			fields := strings.Fields(line)
			if fields[state] == listens {
				all = append(all, socket{address(t, fields[1]), fields[inode]})
			}
		}
	}
	return all
}

// address reads an address as the kernel prints it: words of four bytes, each
// in the machine's byte order, which is little-endian wherever this runs.
func address(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	bytes, err := hex.DecodeString(host)
	require.NoError(t, err)
	for word := range slices.Chunk(bytes, net.IPv4len) {
		slices.Reverse(word)
	}
	at, ok := netip.AddrFromSlice(bytes)
	require.True(t, ok, text)
	number, err := strconv.ParseUint(port, 16, 16)
	require.NoError(t, err)
	return netip.AddrPortFrom(at.Unmap(), uint16(number))
}

// ownSockets are the inodes of this process's sockets.
func ownSockets(t *testing.T) map[string]bool {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	inodes := map[string]bool{}
	for _, file := range open {
		target, err := os.Readlink(file)
		if err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(target, "socket:[]")] = true
		}
	}
	return inodes
}
