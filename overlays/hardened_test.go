package overlays_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	first, second = "postgres_master", "postgres_slave"

	// dataDirectory is PGDATA of both; beside it lies what is in the making.
	dataDirectory = "/var/lib/postgresql/data/pgdata"
	rejoinFile    = "/var/lib/postgresql/data/rejoin"

	startLimit = 4 * time.Minute
	stepLimit  = 2 * time.Minute
)

const (
	tableSQL   = `CREATE TABLE kept (id int)`
	insertSQL  = `INSERT INTO kept VALUES ($1)`
	countSQL   = `SELECT count(*) FROM kept`
	clusterSQL = `SELECT system_identifier FROM pg_control_system()`
	promoteSQL = `SELECT pg_promote(true, 60)`

	dropSlotSQL      = `SELECT pg_drop_replication_slot('replication_slot')`
	closeDatabaseSQL = `REVOKE CONNECT ON DATABASE mydatabase FROM PUBLIC`
	closeOtherSQL    = `REVOKE CONNECT ON DATABASE postgres FROM PUBLIC`
)

// hardened is a running pair, whichever node is the primary.
type hardened struct {
	operator conformance.Operator
	nodes    []*pair.Node
}

// TestHardenedNodes is about what operators do by mistake, and what an engine
// does that is switched off: in this order, for each step finds the pair whole.
func TestHardenedNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	servers := startHardened(t)
	found := servers.whole(t)
	cluster := one[int64](t, found.Primary, clusterSQL)
	execute(t, found.Primary, tableSQL)
	execute(t, found.Primary, insertSQL, 1)
	for _, step := range []struct {
		name string
		test func(*testing.T, hardened)
		rows int64 // afterwards
	}{
		{"a primary that is to rejoin its own standby keeps its data", testRejoinOfPrimary, 1},
		{"what a cut-off clone has left is removed", testLeftovers, 1},
		{"a clone that was whole when the machine died takes its place", testInstalled, 1},
		{"a slot that somebody dropped is made anew", testSlotDropped, 1},
		{"another command than the server's has nothing to do with the data", testOtherCommand, 1},
		{"an empty volume beside a promoted server becomes a standby, and no new cluster", testEmptyVolume, 2},
		{"down and up with the roles changed", testDownAndUp, 2},
		{"a new cluster beside an older one is unhealthy, and can be dropped", testNewCluster, 2},
	} {
		t.Run(step.name, func(t *testing.T) { step.test(t, servers) })
		found := servers.whole(t)
		for _, node := range found.Nodes() {
			require.Equal(t, cluster, one[int64](t, node, clusterSQL), node.Name())
			require.Equal(t, step.rows, one[int64](t, node, countSQL), node.Name())
		}
	}
}

func testRejoinOfPrimary(t *testing.T, servers hardened) {
	servers.exec(t, first, "touch", rejoinFile)
	require.NoError(t, servers.operator.Restart(t.Context(), first))
	servers.eventually(t, first, "test ! -e "+rejoinFile)
	assert.Equal(t, first, servers.whole(t).Primary.Name())
	log, err := servers.operator.Logs(t.Context(), first, time.Time{})
	require.NoError(t, err)
	assert.Contains(t, log, second+" is no primary that could be cloned: the data here are kept")
}

func testLeftovers(t *testing.T, servers hardened) {
	for _, suffix := range []string{".making", ".replaced"} {
		servers.exec(t, second, "mkdir", dataDirectory+suffix)
	}
	require.NoError(t, servers.operator.Restart(t.Context(), second))
	servers.whole(t)
	servers.eventually(t, second, "test ! -e "+dataDirectory+".making -a ! -e "+dataDirectory+".replaced")
}

func testInstalled(t *testing.T, servers hardened) {
	require.NoError(t, servers.operator.Stop(t.Context(), second))
	const script = `mv "$1" "$1.making" && mkdir "$1.replaced"`
	ended, err := servers.operator.Run(t.Context(), second, nil, "bash", "-c", script, "bash", dataDirectory)
	require.NoError(t, err)
	require.Zero(t, ended.ExitCode, ended.Stderr)
	startsWithItsData(t, servers)
}

// startsWithItsData starts the standby, which has no reason to clone.
func startsWithItsData(t *testing.T, servers hardened) {
	t.Helper()
	before := time.Now()
	require.NoError(t, servers.operator.Start(t.Context(), second))
	servers.whole(t)
	log, err := servers.operator.Logs(t.Context(), second, before)
	require.NoError(t, err)
	assert.NotContains(t, log, "cloning", "its data were there")
}

func testSlotDropped(t *testing.T, servers hardened) {
	require.NoError(t, servers.operator.Stop(t.Context(), second))
	execute(t, servers.node(first), dropSlotSQL)
	startsWithItsData(t, servers)
}

func testOtherCommand(t *testing.T, servers hardened) {
	ended, err := servers.operator.Run(t.Context(), second, nil, "bash", "/etc/postgresql/hardened/node.sh", "sh", "-c", "echo here; exit 3")
	require.NoError(t, err)
	assert.Equal(t, 3, ended.ExitCode)
	assert.Equal(t, "here\n", ended.Stdout)
	assert.Empty(t, ended.Stderr)
}

// The replication role may replicate, and nothing else: that has to do.
func testEmptyVolume(t *testing.T, servers hardened) {
	found := servers.whole(t)
	for _, sql := range []string{closeDatabaseSQL, closeOtherSQL} {
		execute(t, found.Primary, sql)
	}
	require.NoError(t, found.WaitForReplay(t.Context()))
	require.NoError(t, servers.operator.Stop(t.Context(), first))
	require.True(t, one[bool](t, found.Standby(), promoteSQL))
	execute(t, found.Standby(), insertSQL, 2)
	before := time.Now()
	require.NoError(t, servers.operator.Start(t.Context(), first))
	servers.says(t, first, before, second+" was promoted, so this node is not started as a primary")
	require.NoError(t, servers.operator.Recreate(t.Context(), first, true))
	assert.Equal(t, second, servers.whole(t).Primary.Name())
}

func testDownAndUp(t *testing.T, servers hardened) {
	require.NoError(t, servers.operator.RemoveKeepingVolumes(t.Context()))
	require.NoError(t, servers.operator.UpAgain(t.Context()))
	assert.Equal(t, second, servers.whole(t).Primary.Name())
}

// testNewCluster loses a volume while nobody is there to ask.
func testNewCluster(t *testing.T, servers hardened) {
	require.NoError(t, servers.operator.Stop(t.Context(), second))
	require.NoError(t, servers.operator.Recreate(t.Context(), first, true))
	healthy := func(node, want string) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			state, err := servers.operator.Inspect(t.Context(), node)
			require.NoError(c, err)
			assert.Equal(c, want, state.Health, node)
		}, stepLimit, time.Second)
	}
	healthy(first, "healthy")
	require.NoError(t, servers.operator.Start(t.Context(), second))
	healthy(first, "unhealthy")
	healthy(second, "healthy")
	servers.exec(t, first, "touch", rejoinFile)
	require.NoError(t, servers.operator.Restart(t.Context(), first))
	assert.Equal(t, second, servers.whole(t).Primary.Name())
}

func startHardened(t *testing.T) hardened {
	t.Helper()
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, engine.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	target, stop, err := live.Start(ctx, engine, stack.Options{
		Files: []string{"../docker/docker-compose.yml", "hardened.yml"}, Name: "overlay",
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stepLimit)
		defer cancel()
		assert.NoError(t, stop(ctx))
		target.Pair.Close()
	})
	return hardened{target.Operator, target.Pair.Nodes()}
}

// whole waits until the two are a pair that replicates and is healthy.
func (h hardened) whole(t *testing.T) *pair.Pair {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepLimit)
	defer cancel()
	const interval = 100 * time.Millisecond
	var found *pair.Pair
	var reason string
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		found, reason = h.look(ctx)
		return found != nil, nil
	})
	require.NoError(t, err, "%s\n%s", reason, h.logs(t))
	require.NoError(t, found.WaitReady(ctx))
	return found
}

// look gives the pair that the two are, or why they are none.
func (h hardened) look(ctx context.Context) (found *pair.Pair, reason string) {
	for _, node := range h.nodes {
		state, err := h.operator.Inspect(ctx, node.Name())
		if err != nil {
			return nil, err.Error()
		}
		if state.Health != "healthy" {
			return nil, node.Name() + " is " + state.Health
		}
	}
	found, err := pair.Discover(ctx, h.nodes...)
	if err != nil {
		return nil, err.Error()
	}
	return found, ""
}

func (h hardened) logs(t *testing.T) string {
	t.Helper()
	const lines = 15
	var all strings.Builder
	for _, node := range h.nodes {
		log, err := h.operator.Logs(context.WithoutCancel(t.Context()), node.Name(), time.Time{})
		require.NoError(t, err)
		said := strings.Split(strings.TrimSpace(log), "\n")
		all.WriteString(node.Name() + ":\n" + strings.Join(said[max(0, len(said)-lines):], "\n") + "\n")
	}
	return all.String()
}

// says waits for a line of a node's log.
func (h hardened) says(t *testing.T, node string, since time.Time, line string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		log, err := h.operator.Logs(t.Context(), node, since)
		require.NoError(c, err)
		assert.Contains(c, log, line)
	}, stepLimit, 200*time.Millisecond)
}

// node is the server of a service.
func (h hardened) node(name string) *pair.Node {
	return h.nodes[slices.IndexFunc(h.nodes, func(node *pair.Node) bool { return node.Name() == name })]
}

func (h hardened) exec(t *testing.T, node string, command ...string) {
	t.Helper()
	ended, err := h.operator.Exec(t.Context(), node, nil, command...)
	require.NoError(t, err)
	require.Zero(t, ended.ExitCode, "%v: %s", command, ended.Stderr)
}

func (h hardened) eventually(t *testing.T, node, script string) {
	t.Helper()
	require.Eventually(t, func() bool {
		ended, err := h.operator.Exec(t.Context(), node, nil, "sh", "-c", script)
		return err == nil && ended.ExitCode == 0
	}, stepLimit, 200*time.Millisecond, "%s: %s", node, script)
}

func one[T any](t *testing.T, node *pair.Node, sql string) T {
	t.Helper()
	value, err := pair.One[T](t.Context(), node, sql)
	require.NoError(t, err)
	return value
}

func execute(t *testing.T, node *pair.Node, sql string, arguments ...any) {
	t.Helper()
	require.NoError(t, node.Exec(t.Context(), sql, arguments...))
}
