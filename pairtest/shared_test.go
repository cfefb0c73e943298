package pairtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

var notes = pairtest.SQL(tableSQL)

// TestDatabases shows what tests that run in parallel share, and what not.
func TestDatabases(t *testing.T) {
	live(t)
	var applied atomic.Int32
	migration := pairtest.Migration{
		Key: t.Name() + time.Now().String(),
		Apply: func(ctx context.Context, primary *pgxpool.Pool) error {
			applied.Add(1)
			_, err := primary.Exec(ctx, tableSQL)
			return err
		},
	}
	var names [4]string
	t.Run("in parallel", func(t *testing.T) {
		for i := range names {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				db := pairtest.Database(t, migration, pairtest.Fast())
				t.Logf("a database after %s", time.Since(began))
				names[i] = one[string](t, db.Standby, `SELECT current_database()::text`)
				assert.True(t, one[bool](t, db.Standby, inRecoverySQL))
				assert.Zero(t, one[int64](t, db.Standby, `SELECT count(*) FROM notes`), "nobody else's rows")
				note := write(t, db)
				replay(t, db)
				assert.EqualValues(t, 1, one[int64](t, db.Standby, countSQL, note))
			})
		}
	})
	assert.EqualValues(t, 1, applied.Load(), "the migration is done once for all")
	began := time.Now()
	db := pairtest.Database(t, pairtest.Migration{}, pairtest.Fast())
	t.Logf("a database of a new template after %s", time.Since(began))
	began = time.Now()
	pairtest.Database(t, pairtest.Migration{}, pairtest.Fast())
	t.Logf("one more database after %s", time.Since(began))
	for i, name := range names {
		for _, other := range names[:i] {
			assert.NotEqual(t, other, name)
		}
		assert.Zero(t, one[int64](t, db.Primary, `SELECT count(*) FROM pg_database WHERE datname = $1`, name), "it ended with its test")
	}
}

// What a migration gives to its database as such, each copy has too. A session
// that it leaves there is in nobody's way.
func TestDatabaseIsLikeItsTemplate(t *testing.T) {
	live(t)
	const (
		giveSQL = `
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path = %L, "$user", "a,b", %L', current_database(), '', 'c"d');
  EXECUTE format('ALTER DATABASE %I SET app.tenant = %L', current_database(), E'it''s=\\');
  EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET work_mem = %L', current_database(), '7MB');
  EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CREATE ON DATABASE %I TO pg_monitor WITH GRANT OPTION', current_database());
END $$`
		aclSQL = `SELECT datacl::text FROM pg_database WHERE datname = current_database()`
		allSQL = `
SELECT array_agg(one ORDER BY one) FROM (SELECT setrole || ' ' || unnest(setconfig) AS one
  FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()) AS settings`
	)
	var acl string
	var settings []string
	var listener *pgx.Conn
	t.Cleanup(func() { _ = listener.Close(context.WithoutCancel(t.Context())) }) // the server has ended it
	db := pairtest.Database(t, pairtest.Migration{
		Key: t.Name() + time.Now().String(),
		Apply: func(ctx context.Context, primary *pgxpool.Pool) (err error) {
			if listener, err = pgx.ConnectConfig(ctx, primary.Config().ConnConfig); err != nil {
				return err
			}
			if _, err := listener.Exec(ctx, giveSQL); err != nil {
				return err
			}
			return errors.Join(listener.QueryRow(ctx, aclSQL).Scan(&acl), listener.QueryRow(ctx, allSQL).Scan(&settings))
		},
	}, pairtest.Fast())
	require.Len(t, settings, 3)
	assert.Equal(t, settings, one[[]string](t, db.Standby, allSQL))
	assert.Equal(t, acl, one[string](t, db.Standby, aclSQL))
	assert.Equal(t, "7MB", one[string](t, db.Standby, `SHOW work_mem`))
}

// A migration that fails leaves nothing that a later one would take for done.
func TestMigrationFails(t *testing.T) {
	live(t)
	key := t.Name() + time.Now().String()
	attempt := func(sql string) (*pairtest.DB, error) {
		return pairtest.TryDatabase(t, pairtest.Migration{
			Key: key,
			Apply: func(ctx context.Context, primary *pgxpool.Pool) error {
				if _, err := primary.Exec(ctx, tableSQL); err != nil {
					return err
				}
				_, err := primary.Exec(ctx, sql)
				return err
			},
		})
	}
	_, err := attempt(`SELECT 1/0`)
	require.ErrorContains(t, err, "division by zero")
	again, err := attempt(`SELECT 1`)
	require.NoError(t, err)
	write(t, again)
}

// guestVariable makes the test binary a program that uses the shared pair and
// waits to be killed.
const guestVariable = "PAIRTEST_TEST_GUEST"

// TestGuest is no test but that program.
func TestGuest(t *testing.T) {
	if os.Getenv(guestVariable) == "" {
		t.Skip("is started by other tests")
	}
	db := pairtest.Database(t, notes)
	fmt.Println("\nserver", one[string](t, db.Primary, `SELECT system_identifier::text FROM pg_control_system()`))
	<-t.Context().Done()
}

// guest starts a process that uses the shared pair, and says which one.
func guest(t *testing.T, folder string) (process *exec.Cmd, server string) {
	t.Helper()
	process = exec.Command(os.Args[0], "-test.run=^TestGuest$", "-test.v") //nolint:noctx // the test ends it by signal
	process.Env = append(os.Environ(), guestVariable+"=yes", "TMPDIR="+folder)
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill() }) // it has ended unless the test failed
	var said []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said = append(said, lines.Text())
		if server, found := strings.CutPrefix(lines.Text(), "server "); found {
			return process, server
		}
	}
	require.Fail(t, "the guest found no server", strings.Join(said, "\n"))
	return nil, ""
}

// TestProcessesShareAPair kills those who use it: the pair outlives each of
// them but the last.
func TestProcessesShareAPair(t *testing.T) {
	live(t)
	folder, err := os.MkdirTemp("", "guests") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	first, server := guest(t, folder)
	second, other := guest(t, folder)
	require.Equal(t, server, other, "one pair for both")
	kill := func(process *exec.Cmd) {
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
	}
	kill(first)
	third, other := guest(t, folder)
	require.Equal(t, server, other, "it outlives who has started it")
	lease := leases(t, folder)
	require.Len(t, lease, 1)
	require.NotEmpty(t, remains(t, lease[0]))
	kill(second)
	kill(third)
	require.Eventually(t, func() bool { return len(remains(t, lease[0])) == 0 }, 45*time.Second, 200*time.Millisecond,
		"the last one out turns off the light")
	require.Eventually(t, func() bool { return len(leases(t, folder)) == 0 }, 5*time.Second, 50*time.Millisecond)
}

// leases are the files that mark runs as alive, see package stack.
func leases(t *testing.T, folder string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".lease") {
			found = append(found, folder+"/"+entry.Name())
		}
	}
	return found
}

// remains lists what the engine holds of a run.
func remains(t *testing.T, lease string) []string {
	t.Helper()
	var all []string
	for _, kind := range [][]string{{"ps", "-aq"}, {"network", "ls", "-q"}, {"volume", "ls", "-q"}} {
		arguments := append(kind, "--filter", "label=io.github.postgres-master-slave.lease="+lease) //nolint:gocritic // a new line each time
		out, err := exec.CommandContext(t.Context(), "docker", arguments...).Output()
		require.NoError(t, err)
		all = append(all, strings.Fields(string(out))...)
	}
	return all
}
