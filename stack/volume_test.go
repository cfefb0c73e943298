package stack_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const mebibyte = 1 << 20

func TestLimitedVolumeCanBeFull(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "full", Limited: map[string]stack.LimitedVolume{
		"data": {Bytes: 8 * mebibyte, UID: 999, GID: 998, Mode: 0o777 | fs.ModeSticky},
	}})
	inTwo := func(script string) stack.Execution {
		t.Helper()
		ended, err := running.Exec(t.Context(), "two", nil, "sh", "-c", script)
		require.NoError(t, err)
		return ended
	}
	assert.Equal(t, "999 998 1777", strings.TrimSpace(inTwo(`stat -c '%u %g %a' /data`).Stdout))
	require.Zero(t, inTwo(`head -c 1M /dev/zero >/data/kept`).ExitCode)
	free, err := running.Free(t.Context(), "data")
	require.NoError(t, err)
	assert.Equal(t, int64(7*mebibyte), free)
	assert.Contains(t, inTwo(`head -c 8M /dev/zero >/data/more`).Stderr, "No space left on device")
	inTwo(`rm /data/more`)

	require.NoError(t, running.Fill(t.Context(), "data", 2*mebibyte))
	require.Zero(t, inTwo(`head -c 2M /dev/zero >/data/more`).ExitCode, "what was to be left is left")
	assert.NotZero(t, inTwo(`echo more >>/data/more`).ExitCode, "and nothing else")
	inTwo(`rm /data/more`)
	require.NoError(t, running.Fill(t.Context(), "data", 0))
	assert.Contains(t, inTwo(`head -c 1K /dev/zero >/data/more`).Stderr, "No space left on device")

	require.NoError(t, running.Stop(t.Context(), "two"))
	require.NoError(t, running.Drain(t.Context(), "data"), "also while its own service is down")
	require.NoError(t, running.Drain(t.Context(), "data"), "draining twice is safe")
	require.NoError(t, running.Start(t.Context(), "two"))
	require.Zero(t, inTwo(`echo something >/data/more`).ExitCode)
	assert.Equal(t, "1048576", strings.TrimSpace(inTwo(`stat -c %s /data/kept`).Stdout), "a stop of its service loses nothing")

	_, err = running.Free(t.Context(), "nothing")
	require.ErrorIs(t, err, stack.ErrNotLimited)
	require.NoError(t, running.Down(t.Context()))
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestLimitRefusesAVolumeThatNobodyUses(t *testing.T) {
	_, err := open(t).Up(t.Context(), stack.Options{Files: []string{two}, Name: "none", Limited: map[string]stack.LimitedVolume{
		"nothing": {Bytes: mebibyte},
	}})
	require.ErrorIs(t, err, stack.ErrRecipe)
}
