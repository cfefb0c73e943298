package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictTablespaceChecks() []Check {
	const source = `PostgreSQL documentation, "Hot Standby", "Administrator's Overview"; CREATE TABLESPACE`
	needs := Needs{Operator: true, Superuser: true, Exclusive: true}
	return []Check{
		{
			ID:         "conflict/tablespace-on-both",
			Obligation: "Tables in a tablespace whose directory exists on both nodes must be readable on the standby.",
			Level:      Must, Needs: needs, Source: source, Disturbs: true, Limit: faultLimit, Run: tablespaceOnBoth,
		},
		{
			ID:         "conflict/tablespace-in-place",
			Obligation: "Tables in a tablespace inside the data directory must be readable on the standby, without a directory made there before.",
			Level:      Must, Needs: Needs{Superuser: true, Exclusive: true, Since: 15}, Source: source, Disturbs: true, Limit: faultLimit, Run: tablespaceInPlace,
		},
		{
			ID:         "conflict/missing-tablespace-is-loud",
			Obligation: "A standby that lacks the directory of a new tablespace must stop and name it, and the primary must go on.",
			Level:      Must, Needs: needs, Source: source, Consumes: true, Limit: faultLimit, Run: missingTablespaceIsLoud,
		},
	}
}

const (
	placedTableSQL = `CREATE TABLE placed TABLESPACE %s AS SELECT generate_series(1, 1000) AS id`
	placedSumSQL   = `SELECT concat_ws(' ', count(*), sum(id)) FROM placed`
	placedWhereSQL = `SELECT spcname::text FROM pg_class AS t JOIN pg_tablespace AS s ON s.oid = t.reltablespace WHERE t.oid = 'placed'::regclass`
)

// directoryScript makes a directory that belongs to whoever another one belongs
// to: commands may run as root, and servers never do.
const directoryScript = `mkdir -m 0700 "$1" && chown "$(stat -c %u:%g "$2")" "$1"`

// newDirectory makes an empty directory of the server's beside some nodes,
// removed after the check: outside the data directory, as a tablespace wants it.
func (c *C) newDirectory(nodes ...*pair.Node) (path string) {
	path = "/tmp/" + c.ScratchName()
	for _, node := range nodes {
		c.Cleanup(func(ctx context.Context) error {
			_, err := c.Operator().Exec(ctx, node.Name(), nil, "rm", "-rf", path)
			return err
		})
		made := c.beside(node, "sh", "-c", directoryScript, "sh", path, ask[string](c, node, dataDirectorySQL))
		if made.ExitCode != 0 {
			c.Skipf("no directory can be made beside %s: %s", node.Name(), made.Stderr)
		}
	}
	return path
}

func tablespaceOnBoth(c *C) {
	c.mustReachStandby(c.newTablespace(c.newDirectory(c.Pair().Nodes()...)))
}

func tablespaceInPlace(c *C) { c.mustReachStandby(c.newTablespace("")) }

func (c *C) mustReachStandby(tablespace string) {
	c.writer().Do(fmt.Sprintf(placedTableSQL, tablespace))
	c.wantSame("tablespace of the table", []string{tablespace}, placedWhereSQL)
	c.wantSame("rows of the table", []string{"1000 500500"}, placedSumSQL)
}

func missingTablespaceIsLoud(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(standby)
	path := c.newDirectory(primary)
	session := c.OnPrimary()
	before, log := c.inspect(standby).Started, c.logFromNow(standby)
	session.Do(fmt.Sprintf(createTablespaceSQL, c.ScratchName(), path))
	log.wait(`FATAL:  directory "` + path + `" does not exist`)
	log.wait("HINT:  Create this directory")
	c.mustHaveEnded(standby, before)
	session.Do(placedPlainSQL)
	if rows := Value[string](session, placedSumSQL); rows != "3 6" {
		c.Errorf("rows written on the primary after its standby has ended: %s", rows)
	}
}

const placedPlainSQL = `CREATE TABLE placed AS SELECT generate_series(1, 3) AS id`

// mustHaveEnded waits until a node's container has ended by itself with a
// failure; its restart policy may have started it again.
func (c *C) mustHaveEnded(node *pair.Node, startedBefore time.Time) {
	c.Eventually(node.Name()+" has ended", factLimit, func(ctx context.Context) (bool, string, error) {
		state, err := c.Operator().Inspect(ctx, node.Name())
		ended := state.State == "exited" && state.ExitCode != 0
		again := state.State == "restarting" || state.Started.After(startedBefore)
		return ended || again, fmt.Sprintf("container %s, exit code %d, started %s", state.State, state.ExitCode, state.Started), err
	})
}
