package pairtest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// A holder stays for as long as anybody is connected, and then a while longer.
func TestServe(t *testing.T) {
	const linger = 100 * time.Millisecond
	folder, err := os.MkdirTemp("", "serve") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	m := place{folder: folder, key: "key"}
	require.NoError(t, os.WriteFile(m.socket(), nil, 0o600), "left by a holder that was killed")

	primary, err := pair.FromDSN("one", "postgres://app:p%40ss@one:5001/app")
	require.NoError(t, err)
	standby, err := pair.FromDSN("two", "postgres://app:p%40ss@two:5002/app")
	require.NoError(t, err)
	result, theirs, err := os.Pipe()
	require.NoError(t, err)
	turn, err := m.lock(t.Context()) // the starter's, who has died meanwhile
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- m.serve(t.Context(), &pair.Pair{Primary: primary, Standbys: []*pair.Node{standby}}, linger, turn, theirs)
	}()
	said := make([]byte, len(ready))
	_, err = result.Read(said)
	require.NoError(t, err)
	require.Equal(t, ready, string(said))
	require.NoError(t, result.Close())

	join := func() net.Conn {
		lease, servers, err := m.join(t.Context(), config{})
		require.NoError(t, err)
		found, err := servers.Standby().Config(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []any{"one", "two", "two", uint16(5002), "app", "p@ss"},
			[]any{servers.Primary.Name(), servers.Standby().Name(), found.Host, found.Port, found.User, found.Password})
		return lease
	}
	first, second := join(), join()
	require.NoError(t, first.Close())
	select {
	case err := <-ended:
		require.Fail(t, "it left a guest alone", "%v", err)
	case <-time.After(3 * linger):
	}
	left := time.Now()
	require.NoError(t, second.Close())
	require.NoError(t, <-ended)
	assert.GreaterOrEqual(t, time.Since(left), linger)
	assert.NoFileExists(t, m.socket())
}

// A holder that leaves late does not lock out the one that has taken over.
func TestDoorOfAnother(t *testing.T) {
	folder, err := os.MkdirTemp("", "door") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	m := place{folder: folder, key: "key"}
	first, err := m.open()
	require.NoError(t, err)
	require.NoError(t, os.Remove(m.socket()))
	second, err := m.open()
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.FileExists(t, m.socket())
	require.NoError(t, second.Close())
	require.NoFileExists(t, m.socket())
}

// Whoever dies while its holder starts leaves the turn with the holder.
func TestTurnIsHandedOn(t *testing.T) {
	m := place{folder: t.TempDir(), key: "key"}
	turn, err := m.lock(t.Context())
	require.NoError(t, err)
	holder := exec.CommandContext(t.Context(), "cat")
	holder.ExtraFiles = []*os.File{turn}
	door, err := holder.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	require.NoError(t, turn.Close())

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = m.lock(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, door.Close())
	require.NoError(t, holder.Wait())
	turn, err = m.lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, turn.Close())
}
