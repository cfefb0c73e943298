package pairtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
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

	_, err = configure([]Option{Files()})
	require.ErrorContains(t, err, "no compose file", "the shipped recipe is not what was asked for")

	_, err = configure([]Option{InMemory(1 << 30), FromScratch()})
	require.ErrorContains(t, err, "FromScratch")
	_, err = configure([]Option{InMemory(-1)})
	require.ErrorContains(t, err, "-1 bytes")

	files := []string{"a.yml"}
	_, err = configure([]Option{Files(files...)})
	require.NoError(t, err)
	assert.Equal(t, []string{"a.yml"}, files, "the caller's list stays as it is")
}

// A holder is told everything by JSON.
func TestConfigSurvivesTheWayToTheHolder(t *testing.T) {
	chosen, err := configure([]Option{
		Files("a.yml"), Environment("TAG=15"), Profiles("replicated"), Roles("db", "replica"), Login("app", "secret", "shop"), Fast(), InMemory(1 << 30),
	})
	require.NoError(t, err)
	text, err := json.Marshal(chosen)
	require.NoError(t, err)
	var read config
	require.NoError(t, json.Unmarshal(text, &read))
	assert.Equal(t, chosen, read)
	assert.Equal(t, []string{"TAG=15"}, read.stack().Environment)
	assert.Equal(t, []string{"replicated"}, read.stack().Profiles)
	assert.Len(t, read.choices(), 2)
	assert.Empty(t, config{}.choices())
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
	assert.NotEqual(t, meet(), meet(Roles("postgres_master", "postgres_slave")))
	assert.NotEqual(t, meet(), meet(Login("app", "secret", "shop")))

	compose := filepath.Join(t.TempDir(), "compose.yml")
	require.NoError(t, os.WriteFile(compose, []byte("services: {one: {image: one, volumes: ['./init.sql:/init.sql']}}"), 0o600))
	without := meet(Files(compose))
	script := filepath.Join(filepath.Dir(compose), "init.sql")
	require.NoError(t, os.WriteFile(script, []byte("SELECT 1"), 0o600))
	with := meet(Files(compose))
	assert.NotEqual(t, without, with, "what is mounted counts")
	require.NoError(t, os.WriteFile(script, []byte("SELECT 2"), 0o600))
	assert.NotEqual(t, with, meet(Files(compose)), "by its content")

	require.NoError(t, os.WriteFile(compose, []byte("services: {one: {image: 'one:${TAG:-1}'}, two: {image: two, profiles: [more]}}"), 0o600))
	assert.NotEqual(t, meet(Files(compose), Environment("TAG=2")), meet(Files(compose), Environment("TAG=3")))
	assert.NotEqual(t, meet(Files(compose)), meet(Files(compose), Profiles("more")))
}

// Whoever could write there could pose as a holder.
func TestMeetingPlaceIsPrivate(t *testing.T) {
	m := place{folder: filepath.Join(t.TempDir(), "meet"), key: "key"}
	require.NoError(t, m.secure())
	require.NoError(t, os.Chmod(m.folder, 0o777))
	require.ErrorIs(t, m.secure(), errNotOurs)
}

func TestLagBytes(t *testing.T) {
	assert.EqualValues(t, 3, Lag{Written: 10, Replayed: 7}.Bytes())
	assert.Zero(t, Lag{Written: 7, Replayed: 10}.Bytes(), "the standby was asked first, and may yet be ahead of a failed-over primary")
}

// Two migrations without a key would share one template, silently.
func TestAMigrationNeedsAKey(t *testing.T) {
	_, err := database(t, &pair.Pair{}, Migration{Apply: func(context.Context, *pgxpool.Pool) error { return nil }})
	require.ErrorIs(t, err, errNoKey)
}
