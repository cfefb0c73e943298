package attach_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// testBadInput gives servers that cannot be used: each time one line says so,
// and nothing is created, on the servers or here.
func testBadInput(t *testing.T, running cluster, built command) {
	before := running.objects(t)
	other := start(t, openEngine(t), "attach-other")
	primary, standby := dsn(t, running.Primary, administrator), dsn(t, running.Standby(), administrator)
	stranger := dsn(t, other.Standby(), administrator)
	closed := closedPort(t)
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"nobody listens": {
			[]string{"-primary-dsn", "postgres://a:Pl4nted@" + closed + "/d", "-standby-dsn", standby},
			"attach to primary " + closed + ": server cannot be used: query primary " + closed + ": failed to connect",
		},
		"a wrong password": {
			[]string{"-primary-dsn", strings.Replace(primary, passwordOf(administrator), planted+"-wrong", 1), "-standby-dsn", standby},
			`password authentication failed for user "admin" (SQLSTATE 28P01)`,
		},
		"no such database": {
			[]string{"-primary-dsn", strings.Replace(primary, "/mydatabase", "/absent", 1), "-standby-dsn", standby},
			`database "absent" does not exist (SQLSTATE 3D000)`,
		},
		"a standby for a primary": {
			[]string{"-primary-dsn", standby, "-standby-dsn", standby},
			"server is in recovery: it is a standby, not the primary",
		},
		"the primary for a standby": {
			[]string{"-primary-dsn", primary, "-standby-dsn", primary},
			"two connection strings lead to the same server",
		},
		"one standby twice": {
			[]string{"-primary-dsn", primary, "-standby-dsn", standby, "-standby-dsn", standby},
			"two connection strings lead to the same server",
		},
		"a standby of another cluster": {
			[]string{"-primary-dsn", primary, "-standby-dsn", stranger},
			pair.ErrOtherCluster.Error(),
		},
		"another database": {
			[]string{"-primary-dsn", primary, "-standby-dsn", strings.Replace(standby, "/mydatabase", "/postgres", 1)},
			"the connection strings name different databases",
		},
		"a role that may not create": {
			running.servers(t, reader),
			"database mydatabase: the role may not create a schema in this database: grant it CREATE, or run read-only",
		},
		"a replication role that does not exist": {
			append(running.servers(t, administrator), "-replicator-user", "absent"),
			"as absent: the replication role cannot replicate",
		},
		"a replication role that may not": {
			append(running.servers(t, administrator), "-replicator-user", reader, "-replicator-password-file", passwordFile(t, reader)),
			"as reader: the replication role cannot replicate",
		},
	} {
		t.Run(name, func(t *testing.T) { refused(t, built.run(t, test.arguments...), test.says) })
	}
	assert.Equal(t, before, running.objects(t))
	t.Run("a publication of all tables", func(t *testing.T) {
		require.NoError(t, running.Primary.Exec(t.Context(), `CREATE PUBLICATION everything FOR ALL TABLES`))
		refused(t, built.run(t, running.servers(t, administrator)...), "publication everything: the publication is FOR ALL TABLES")
		assert.Equal(t, delivery.ExitPassed, built.run(t, append(running.servers(t, reader), "-read-only")...).code)
		require.NoError(t, running.Primary.Exec(t.Context(), `DROP PUBLICATION everything`))
	})
	t.Run("two primaries", func(t *testing.T) {
		require.NoError(t, other.Standby().Exec(t.Context(), `SELECT pg_promote()`))
		refused(t, built.run(t, "-primary-dsn", dsn(t, other.Primary, administrator), "-standby-dsn", stranger),
			"more than one server is a primary: server is not in recovery: it is a primary, not a standby")
	})
	t.Run("a read-only run needs no right to create", func(t *testing.T) {
		ended := built.run(t, append(running.servers(t, reader), "-read-only")...)
		assert.Equal(t, delivery.ExitPassed, ended.code, "%s%s", ended.stdout, ended.stderr)
	})
}

func refused(t *testing.T, ended outcome, says string) {
	t.Helper()
	assert.Equal(t, delivery.ExitBroken, ended.code)
	assert.Contains(t, ended.stderr, says)
	assert.Equal(t, 1, strings.Count(ended.stderr, "\n"), "one error is one line: %s", ended.stderr)
	assert.Empty(t, ended.stdout)
	assert.NoDirExists(t, ended.folder)
}

// closedPort is an address of this host where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}
