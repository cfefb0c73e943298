package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictDropChecks() []Check {
	return []Check{
		{
			ID:         "conflict/drop-database",
			Obligation: "Sessions of the standby in a database that is dropped on the primary must be disconnected at once with FATAL 57P04, whatever the delay.",
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: dropDatabase,
		},
		{
			ID: "conflict/drop-tablespace",
			Obligation: "A reader on the standby with temporary files in a tablespace that is dropped on the primary must end with " +
				"ERROR 40001 when it runs a query and with FATAL 40001 when it is idle in its transaction, and be counted.",
			Level: Must, Needs: Needs{Superuser: true, Exclusive: true, Since: 15}, Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: dropTablespace,
		},
	}
}

const (
	databaseDropped  = "57P04"
	databaseDetail   = "User was connected to a database that must be dropped."
	tablespaceDetail = "User was or might have been using tablespace that must be dropped."

	fromTemplateSQL = `CREATE DATABASE %s TEMPLATE template0`
)

func dropDatabase(c *C) {
	c.Schema()
	primary := c.Pair().Primary
	name := c.ScratchName()
	drop := fmt.Sprintf(dropDatabaseSQL, name)
	c.Cleanup(func(ctx context.Context) error { return primary.Exec(ctx, drop) })
	c.patient()
	if err := primary.Exec(c.ctx, fmt.Sprintf(fromTemplateSQL, name)); err != nil {
		c.Fatalf("create database of the check: %v", err)
	}
	c.Replay()
	running, idle := c.runningVictim(nil, pair.InDatabase(name)), c.idleVictim(nil, pair.InDatabase(name))
	if err := primary.Exec(c.ctx, drop); err != nil {
		c.Fatalf("drop database of the check: %v", err)
	}
	running.struck("FATAL", databaseDropped, databaseDetail)
	idle.struck("FATAL", databaseDropped, databaseDetail)
	c.Replay()
	if left := ask[string](c, c.Pair().Standby(), databaseCountSQL, name); left != "0" {
		c.Errorf("%s still has the dropped database", c.Pair().Standby().Name())
	}
}

const (
	inPlaceSQL             = `SET allow_in_place_tablespaces = on`
	createTablespaceSQL    = `CREATE TABLESPACE %s LOCATION '%s'`
	dropTablespaceSQL      = `DROP TABLESPACE IF EXISTS %s`
	tempTablespaceSQL      = `SET temp_tablespaces = %s`
	spillCursorSQL         = `DECLARE spilling CURSOR FOR SELECT count(*) FROM generate_series(1, 20000)`
	spillFetchSQL          = `FETCH 1 FROM spilling`
	tablespaceTempFilesSQL = `SELECT count(*) FROM pg_ls_tmpdir((SELECT oid FROM pg_tablespace WHERE spcname = $1))`
)

// newTablespace makes a tablespace of the check's own, which is dropped after
// the check. Make it before the schema whose tables it is to hold. A location
// that is empty lies inside the data directory.
func (c *C) newTablespace(location string) (name string) {
	primary := c.Pair().Primary
	name = c.ScratchName()
	c.Cleanup(func(ctx context.Context) error {
		if err := primary.Exec(ctx, fmt.Sprintf(dropTablespaceSQL, name)); err != nil {
			return err
		}
		return c.Pair().WaitForReplay(ctx)
	})
	session, err := primary.Connect(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(session)
	for _, sql := range []string{inPlaceSQL, fmt.Sprintf(createTablespaceSQL, name, location)} {
		if _, err := session.Exec(c.ctx, sql); err != nil {
			c.Fatalf("create tablespace of the check: %s: %v", sql, err)
		}
	}
	return name
}

func dropTablespace(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	name := c.newTablespace("")
	c.Schema()
	c.quiet()
	c.Set(standby, delayName, shortDelay, shortDelay)
	c.Replay()
	before := c.conflictCounts()
	transaction := []string{fmt.Sprintf(tempTablespaceSQL, name), smallWorkMemSQL, beginSQL, spillCursorSQL, spillFetchSQL}
	running, idle := c.runningVictim(transaction), c.idleVictim(transaction)
	if files := ask[int64](c, standby, tablespaceTempFilesSQL, name); files < 2 {
		c.Fatalf("two readers have %d temporary files in tablespace %s: nothing is in the way of dropping it", files, name)
	}
	if err := primary.Exec(c.ctx, fmt.Sprintf(dropTablespaceSQL, name)); err != nil {
		c.Fatalf("drop tablespace of the check: %v", err)
	}
	running.struck("ERROR", serialization, tablespaceDetail)
	idle.struck("FATAL", serialization, tablespaceDetail)
	running.leave()
	c.mustCount(before, tablespaceConflict, 2)
}
