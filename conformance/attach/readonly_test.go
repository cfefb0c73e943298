package attach_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	// Reads leave no trace here: rows and temporary files that were written,
	// by whomever, of all databases.
	countersSQL = `
SELECT string_agg(concat_ws(' ', datname, tup_inserted, tup_updated, tup_deleted, temp_files, temp_bytes), ', ' ORDER BY datid)
  FROM pg_stat_database WHERE datname IS NOT NULL`
	temporaryFilesSQL = `SELECT count(*) FROM pg_ls_tmpdir()`
	insertLSNSQL      = `SELECT pg_current_wal_insert_lsn()::text`
	nextIDSQL         = `SELECT pg_snapshot_xmax(pg_current_snapshot())::text`
	defaultModeSQL    = `SELECT current_setting('default_transaction_read_only')`
)

// traces is what a write would leave that is no object.
func (c cluster) traces(t *testing.T) []string {
	t.Helper()
	found := []string{
		"WAL inserted up to " + value[string](t, c.Primary, insertLSNSQL),
		"next transaction id " + value[string](t, c.Primary, nextIDSQL),
	}
	for _, node := range c.Nodes() {
		found = append(found,
			"written in "+value[string](t, node, countersSQL),
			fmt.Sprint("temporary files ", value[int64](t, node, temporaryFilesSQL)))
	}
	return found
}

func value[T any](t *testing.T, node *pair.Node, sql string) T {
	t.Helper()
	found, err := pair.One[T](t.Context(), node, sql)
	require.NoError(t, err)
	return found
}

func testReadOnly(t *testing.T, running cluster) {
	target, err := attach.Target(t.Context(), attach.Options{
		Primary: dsn(t, running.Primary, administrator), Standbys: []string{dsn(t, running.Standby(), administrator)},
		Replicator: conformance.Replicator{Role: replicator, Password: passwordOf(replicator)}, ReadOnly: true,
	})
	require.NoError(t, err)
	t.Cleanup(target.Pair.Close)
	for _, node := range target.Pair.Nodes() {
		require.Equal(t, "on", value[string](t, node, defaultModeSQL), node.Name())
	}
	const readOnlyTransaction = "25006"
	require.Equal(t, readOnlyTransaction, pair.SQLState(target.Pair.Primary.Exec(t.Context(), `CREATE SCHEMA conformance_absent`)),
		"the server itself must refuse writes")

	var marked []conformance.Check
	for _, check := range conformance.All() {
		if check.ReadsOnly {
			marked = append(marked, check)
		}
	}
	require.Greater(t, len(marked), 20)

	known := knownDeviations(t)
	// The servers themselves write at times: checkpoints, running transactions,
	// statistics, pages cleaned at their first read. A check that wrote would do
	// so in every round.
	const rounds = 6
	var before, after []string
	for range rounds {
		objects := running.objects(t)
		before = running.traces(t)
		results, err := conformance.Verify(t.Context(), target, marked, conformance.WithDeviations(known.For(marked)))
		after = running.traces(t)
		require.NoError(t, err)
		require.True(t, results.Green(), "%s", verdicts(results))
		require.Zero(t, results.Count(conformance.Skip), "every check that is marked must have been executed")
		assert.Equal(t, objects, running.objects(t))
		if slices.Equal(before, after) {
			break
		}
	}
	assert.Equal(t, before, after, "something was written in each of %d rounds", rounds)

	results, err := conformance.Verify(t.Context(), target, conformance.All())
	require.NoError(t, err)
	assert.Equal(t, len(marked), results.Executed(), "nothing else may run")
}

// knownDeviations is what the recipe is known to fail.
func knownDeviations(t *testing.T) conformance.Deviations {
	t.Helper()
	file, err := os.Open("../../docker/deviations.yml")
	require.NoError(t, err)
	known, err := conformance.ReadDeviations(file)
	require.NoError(t, errors.Join(err, file.Close()))
	return known
}
