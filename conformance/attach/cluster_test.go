package attach_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const (
	startLimit  = 4 * time.Minute
	removeLimit = time.Minute
)

// The roles that the tests attach as. Their passwords must be in no output.
const (
	administrator = "admin"      // superuser
	monitor       = "monitor"    // may see statistics, and create in the database
	plain         = "plain"      // may create in the database
	reader        = "reader"     // may log in
	replicator    = "replicator" // the recipe's, with a password of the test
	planted       = "Pl4nted"    // what every password begins with
)

func passwordOf(role string) string { return planted + "-" + role }

// cluster is a running pair that knows nothing of being tested.
type cluster struct {
	*pair.Pair // as the superuser of the recipe
}

// start runs the recipe and gives it roles of several kinds.
func start(t *testing.T, engine *stack.Engine, name string) cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	target, stop, err := live.Start(ctx, engine, stack.Options{Files: []string{"../../docker/docker-compose.yml"}, Name: name})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		assert.NoError(t, stop(ctx))
	})
	running := cluster{target.Pair}
	config, err := running.Primary.Config(ctx)
	require.NoError(t, err)
	for _, sql := range []string{
		`CREATE ROLE admin SUPERUSER LOGIN PASSWORD 'Pl4nted-admin'`,
		`CREATE ROLE monitor LOGIN PASSWORD 'Pl4nted-monitor' IN ROLE pg_monitor`,
		`CREATE ROLE plain LOGIN PASSWORD 'Pl4nted-plain'`,
		`CREATE ROLE reader LOGIN PASSWORD 'Pl4nted-reader'`,
		// The standby keeps its connection.
		`ALTER ROLE replicator PASSWORD 'Pl4nted-replicator'`,
		fmt.Sprintf(`GRANT CREATE ON DATABASE %s TO monitor, plain`, pgx.Identifier{config.Database}.Sanitize()),
	} {
		require.NoError(t, running.Primary.Exec(ctx, sql))
	}
	require.NoError(t, running.WaitForReplay(ctx))
	return running
}

func openEngine(t *testing.T) *stack.Engine {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, engine.Close()) })
	return engine
}

// dsn is the connection string of a role for a node.
func dsn(t *testing.T, node *pair.Node, role string) string {
	t.Helper()
	config, err := node.Config(t.Context())
	require.NoError(t, err)
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, passwordOf(role)), Path: "/" + config.Database,
		Host: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), RawQuery: "sslmode=disable",
	}
	return address.String()
}

// objectsSQL lists all that a run could leave on a server or change there.
const objectsSQL = `
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)_'
UNION ALL SELECT 'relation ' || relname || ' ' || relnamespace || ' ' || relfilenode FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_(temp|toast)'
UNION ALL SELECT 'role ' || oid || ' ' || rolname || ' ' || concat_ws(' ', rolsuper, rolcreatedb, rolreplication, rolconnlimit) FROM pg_roles
UNION ALL SELECT 'membership ' || roleid || ' ' || member FROM pg_auth_members
UNION ALL SELECT 'database ' || datname || ' ' || COALESCE(datacl::text, '') FROM pg_database
UNION ALL SELECT 'tablespace ' || spcname FROM pg_tablespace
UNION ALL SELECT 'extension ' || extname FROM pg_extension
UNION ALL SELECT 'setting of role or database ' || setdatabase || ' ' || setrole || ' ' || setconfig::text FROM pg_db_role_setting
UNION ALL SELECT 'default privileges ' || defaclacl::text FROM pg_default_acl
UNION ALL SELECT 'large object ' || oid FROM pg_largeobject_metadata
UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
UNION ALL SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts
UNION ALL SELECT 'line of a file ' || concat_ws(' ', sourcefile, name, setting) FROM pg_file_settings
UNION ALL SELECT 'parameter ' || name || ' ' || setting FROM pg_settings WHERE source NOT IN ('session', 'client', 'override')
UNION ALL SELECT 'rule ' || concat_ws(' ', line_number, type, database, user_name, address, auth_method) FROM pg_hba_file_rules
UNION ALL SELECT 'replay paused ' || pg_is_wal_replay_paused() WHERE pg_is_in_recovery()
ORDER BY 1`

// objects tells what is on the servers, once the standbys have replayed all.
func (c cluster) objects(t *testing.T) map[string][]string {
	t.Helper()
	require.NoError(t, c.WaitForReplay(t.Context()))
	found := map[string][]string{}
	for _, node := range c.Nodes() {
		lines, err := pair.Column[string](t.Context(), node, objectsSQL)
		require.NoError(t, err)
		require.Greater(t, len(lines), 100, "the list sees nothing")
		found[node.Name()] = lines
	}
	return found
}

// verdicts gives the results of a run that did not pass, for a failure's reader.
func verdicts(results conformance.Results) string {
	text := ""
	for _, one := range results {
		if one.Verdict.Red() {
			text += fmt.Sprintf("%s %s: %q\n", one.Verdict, one.Check.ID, one.Reasons)
		}
	}
	return text
}
