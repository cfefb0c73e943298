package pairtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The shipped recipe is unpacked byte for byte, and readable for the servers.
func TestUnpack(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	for range 2 { // the second time it is there
		files, err := unpack(true)
		require.NoError(t, err)
		require.Len(t, files, 2)
		for i, original := range []string{"../docker/docker-compose.yml", "../overlays/hardened.yml"} {
			want, err := os.ReadFile(original)
			require.NoError(t, err)
			got, err := os.ReadFile(files[i])
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		}
		folder := filepath.Dir(files[0])
		script, err := os.Stat(filepath.Join(folder, "00_init.sql"))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(readable), script.Mode().Perm())
		hook, err := os.Stat(filepath.Join(filepath.Dir(folder), "overlays", "hardened", "init.sh"))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(executable), hook.Mode().Perm())
	}
}

func TestConfigure(t *testing.T) {
	_, err := configure([]Option{Files("a.yml"), Hardened()})
	require.ErrorContains(t, err, "Hardened")
	chosen, err := configure([]Option{Files("a.yml", "b.yml"), Fast()})
	require.NoError(t, err)
	assert.True(t, chosen.Fast)
	assert.True(t, filepath.IsAbs(chosen.Files[0]) && filepath.Base(chosen.Files[1]) == "b.yml", "%v", chosen.Files)
}

// Tests meet on one pair when they ask for the same, and else do not.
func TestMeetingPlace(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	meet := func(options ...Option) string {
		chosen, err := configure(options)
		require.NoError(t, err)
		m, err := meetingPlace(t.Context(), chosen)
		require.NoError(t, err)
		return m.key
	}
	plain := meet()
	assert.Equal(t, plain, meet())
	assert.NotEqual(t, meet(), meet(Fast()))
	assert.NotEqual(t, meet(), meet(Hardened()))

	compose := filepath.Join(t.TempDir(), "compose.yml")
	require.NoError(t, os.WriteFile(compose, []byte("services: {one: {image: one, volumes: ['./init.sql:/init.sql']}}"), 0o600))
	without := meet(Files(compose))
	script := filepath.Join(filepath.Dir(compose), "init.sql")
	require.NoError(t, os.WriteFile(script, []byte("SELECT 1"), 0o600))
	with := meet(Files(compose))
	assert.NotEqual(t, without, with, "what is mounted counts")
	require.NoError(t, os.WriteFile(script, []byte("SELECT 2"), 0o600))
	assert.NotEqual(t, with, meet(Files(compose)), "by its content")
}

// Whoever could write there could pose as a holder.
func TestMeetingPlaceIsPrivate(t *testing.T) {
	m := place{folder: filepath.Join(t.TempDir(), "meet"), key: "key"}
	require.NoError(t, m.secure())
	require.NoError(t, os.Chmod(m.folder, 0o777))
	require.ErrorIs(t, m.secure(), errNotOurs)
}

func TestMilliseconds(t *testing.T) {
	for want, delay := range map[string]time.Duration{
		"0": 0, "1ms": time.Millisecond, "1500ms": 1500 * time.Millisecond, "2s": 2 * time.Second,
		"90s": 90 * time.Second, "3min": 3 * time.Minute, "48h": 48 * time.Hour,
	} {
		assert.Equal(t, want, milliseconds(delay))
	}
}

func TestLagBytes(t *testing.T) {
	assert.EqualValues(t, 3, Lag{Written: 10, Replayed: 7}.Bytes())
	assert.Zero(t, Lag{Written: 7, Replayed: 10}.Bytes(), "the standby was asked first, and may yet be ahead of a failed-over primary")
}
