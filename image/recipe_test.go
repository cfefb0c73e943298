package image_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testRecipe runs what the recipe's two services run, on a network of their own.
func testRecipe(t *testing.T, e *engine) {
	network := e.name(t, "network", "rm")
	e.must(t, append(append([]string{"network", "create"}, e.labels...), network)...)
	initSQL, err := os.ReadFile("../docker/00_init.sql")
	require.NoError(t, err)
	compose, err := os.ReadFile("../docker/docker-compose.yml")
	require.NoError(t, err)

	service := func(name string, options []string, command ...string) *container {
		volume := "--volume=" + e.volume(t, "") + ":" + dataDir
		return e.create(t, append(options, "--user=postgres", "--network="+network, "--network-alias="+name, volume,
			env("POSTGRES_DB", "mydatabase"), env("POSTGRES_USER", "postgres"), env("POSTGRES_PASSWORD", "postgres")), command...)
	}
	primary := service("postgres_master", flags(
		env("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256\nhost replication all 0.0.0.0/0 md5"),
		env("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256"),
	), "postgres", "-c", "wal_level=replica", "-c", "hot_standby=on", "-c", "max_wal_senders=10",
		"-c", "max_replication_slots=10", "-c", "hot_standby_feedback=on")
	primary.copyIn(t, initDir, file{name: "00_init.sql", content: string(initSQL)})
	standby := service("postgres_slave", flags(env("PGUSER", "replicator"), env("PGPASSWORD", "replicator_password")),
		"bash", "-c", bashScript(t, string(compose)))

	// The standby first: it has to wait for the primary.
	standby.start(t)
	primary.start(t)
	primary.awaitReady(t)
	standby.awaitReady(t)
	const streaming = `test "$(psql -d postgres -XAtc "SELECT state FROM pg_stat_replication WHERE application_name = 'walreceiver'")" = streaming`
	primary.await(t, streaming)
	assert.Equal(t, "postgres", standby.exec(t, "cat", "/proc/1/comm"), "bash gives way to the last command")
	assert.Equal(t, []string{"t"}, standby.query(t, "SELECT pg_is_in_recovery()"))
	assert.Zero(t, standby.stop(t))
	assert.Zero(t, primary.stop(t))

	// The primary comes back. The standby does not: pg_basebackup refuses the
	// directory that it filled itself.
	before, _ := primary.logs(t)
	primary.start(t)
	primary.awaitReady(t)
	after, _ := primary.logs(t)
	assert.Equal(t, skipping, strings.TrimPrefix(after, before))
	_, before = standby.logs(t)
	standby.start(t)
	standby.awaitLog(t, before, `pg_basebackup: error: directory "`+dataDir+`" exists but is not empty`)
}

// bashScript gives the text that compose hands to the standby's bash -c: the
// block's indentation is not part of it, the newline after the quote is.
func bashScript(t *testing.T, compose string) string {
	t.Helper()
	_, text, found := strings.Cut(compose, `bash -c "`)
	require.True(t, found)
	text, _, found = strings.Cut(text, `"`)
	require.True(t, found)
	const indentation = "\n      "
	require.Contains(t, text, indentation)
	return strings.ReplaceAll(text, indentation, "\n")
}
