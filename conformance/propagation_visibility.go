package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationVisibility() []Check {
	return []Check{
		{
			ID: "propagation/uncommitted-invisible",
			Obligation: "Changes of an open transaction, rolled back, or rolled back to a savepoint must never be seen on the standby, " +
				"though their WAL has arrived there.",
			Level:  Must,
			Source: "PostgreSQL documentation, Transaction Isolation; Hot Standby",
			Run:    uncommittedInvisible,
		},
		{
			ID:         "propagation/prepared-transactions",
			Obligation: "A prepared transaction should be invisible on the standby until it is committed there by COMMIT PREPARED on the primary.",
			Level:      Should,
			Source:     "PostgreSQL documentation, PREPARE TRANSACTION; Hot Standby, Administrator's Overview",
			Run:        preparedInvisible,
		},
	}
}

const (
	openTablesSQL = `
CREATE TABLE rows_open (id int, state text);
ALTER TABLE rows_open REPLICA IDENTITY FULL;
INSERT INTO rows_open VALUES (1, 'old'), (2, 'old')`

	openChangesSQL = `
UPDATE rows_open SET state = 'new' WHERE id = 1;
DELETE FROM rows_open WHERE id = 2;
INSERT INTO rows_open SELECT i, 'new' FROM generate_series(3, 1000) AS i;
CREATE TABLE made_open ()`

	seenRowsSQL = `
SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE state = 'old'), count(*) FILTER (WHERE state = 'kept'), to_regclass('made_open') IS NOT NULL)
  FROM rows_open`
	openSizeSQL = `SELECT pg_relation_size('rows_open')`

	barrierTableSQL = `CREATE TABLE barrier (id int)`

	// forceFlushSQL commits, which flushes all WAL written so far, the open transaction's too.
	forceFlushSQL = `INSERT INTO barrier VALUES (1)`
)

func uncommittedInvisible(c *C) {
	primary, open := c.writer(), c.Borrow(c.Pair().Primary)
	primary.Do(openTablesSQL)
	primary.Do(barrierTableSQL)
	const before, kept = "2 2 0 f", "3 2 1 f"
	look := func(what, want string) {
		primary.Do(forceFlushSQL)
		c.wantSame(what, []string{want}, seenRowsSQL)
	}
	look("rows before the transaction", before)

	size := Value[int64](c.OnStandby(), openSizeSQL)
	open.Do(`BEGIN`)
	open.Do(openChangesSQL)
	primary.Do(forceFlushSQL)
	c.Replay()
	if arrived := Value[int64](c.OnStandby(), openSizeSQL); arrived <= size {
		c.Errorf("the table has %d bytes on the standby, %d before: the open transaction's WAL must have arrived", arrived, size)
	}
	look("open transaction", before)
	open.Do(`ROLLBACK`)
	look("transaction rolled back", before)

	open.Do(`BEGIN; INSERT INTO rows_open VALUES (0, 'kept'); SAVEPOINT s`)
	open.Do(openChangesSQL)
	look("open transaction with a savepoint", before)
	open.Do(`ROLLBACK TO s`)
	look("transaction rolled back to a savepoint, still open", before)
	open.Do(`COMMIT`)
	look("transaction rolled back to a savepoint and committed", kept)
}

const (
	preparedListSQL = `SELECT count(*) FROM pg_prepared_xacts WHERE gid = $1`
	rollbackIfSQL   = `SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE gid = $1`
)

func preparedInvisible(c *C) {
	for _, node := range c.Pair().Nodes() {
		setting, err := node.Setting(c.ctx, "max_prepared_transactions")
		if err != nil {
			c.Fatalf("%v", err)
		}
		if setting == "0" {
			c.Skipf("max_prepared_transactions is 0 on %s: prepared transactions are switched off", node.Name())
		}
	}
	primary := c.writer()
	primary.Do(openTablesSQL)
	primary.Do(barrierTableSQL)
	for _, ending := range []struct{ what, verb, want string }{
		{"rolled back", "ROLLBACK", "2 2 0 f"},
		{"committed", "COMMIT", "999 0 0 t"},
	} {
		name := c.ScratchName()
		c.Cleanup(func(ctx context.Context) error { return rollbackPrepared(ctx, c, name) })
		primary.Do(`BEGIN`)
		primary.Do(openChangesSQL)
		primary.Do(fmt.Sprintf(`PREPARE TRANSACTION '%s'`, name))
		primary.Do(forceFlushSQL)
		if listed := Value[int64](primary, preparedListSQL, name); listed != 1 {
			c.Fatalf("%d transactions are prepared on the primary, want 1", listed)
		}
		c.wantSame("prepared transaction", []string{"2 2 0 f"}, seenRowsSQL)
		for _, node := range c.Pair().Standbys {
			if listed := Value[int64](c.on(node), preparedListSQL, name); listed != 0 {
				c.Errorf("%s lists the prepared transaction, which only a primary does", node.Name())
			}
		}
		primary.Do(fmt.Sprintf(`%s PREPARED '%s'`, ending.verb, name))
		c.wantSame("prepared transaction "+ending.what, []string{ending.want}, seenRowsSQL)
	}
}

// rollbackPrepared ends a prepared transaction that a failed check left behind:
// it would hold its locks for ever.
func rollbackPrepared(ctx context.Context, c *C, name string) error {
	statements, err := pair.Column[string](ctx, c.Pair().Primary, rollbackIfSQL, name)
	for _, statement := range statements {
		err = errors.Join(err, c.Pair().Primary.Exec(ctx, statement))
	}
	return err
}
