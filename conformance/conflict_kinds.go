package conformance

import (
	"context"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictKindChecks() []Check {
	const outcome = "must end with ERROR 40001 when it runs a query and with FATAL 40001 when it is idle in its transaction, and be counted."
	return []Check{
		{
			ID:         "conflict/snapshot",
			Obligation: "A reader on the standby whose snapshot needs rows that VACUUM has removed " + outcome,
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: snapshotConflicts,
		},
		{
			ID:         "conflict/lock",
			Obligation: "A reader on the standby of a table that is altered, truncated or dropped on the primary " + outcome,
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: lockConflicts,
		},
		{
			ID:         "conflict/buffer-pin",
			Obligation: "A reader on the standby whose cursor stands on a page that VACUUM has cleaned up " + outcome,
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: pinConflicts,
		},
		{
			ID:         "conflict/retry-succeeds",
			Obligation: "A read that a recovery conflict has ended must succeed when it is tried again, in a new session if the old one has ended too.",
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: retrySucceeds,
		},
	}
}

const (
	serialization = "40001"

	rowVersionsDetail = "User query might have needed to see row versions that must be removed."
	lockDetail        = "User was holding a relation lock for too long."
	pinDetail         = "User was holding shared buffer pin for too long."

	// Only the check itself vacuums the table.
	readTableSQL = `
CREATE TABLE IF NOT EXISTS read (id int) WITH (autovacuum_enabled = off);
ALTER TABLE read REPLICA IDENTITY FULL`
	readRowsSQL    = `INSERT INTO read SELECT generate_series(1, 20)`
	readCountSQL   = `SELECT count(*) FROM read`
	readDeleteSQL  = `DELETE FROM read`
	readVacuumSQL  = `VACUUM (TRUNCATE off) read` // to truncate takes a lock, which is another conflict
	beginOldSQL    = `BEGIN ISOLATION LEVEL REPEATABLE READ`
	readCursorSQL  = `DECLARE standing CURSOR FOR SELECT id FROM read`
	readFetchSQL   = `FETCH 1 FROM standing`
	abortedRowsSQL = `INSERT INTO read SELECT generate_series(100, 120)`
)

// vacuumUntil vacuums until replay has met a reader: VACUUM removes nothing
// that an older transaction of somebody on the primary may still need.
func (c *C) vacuumUntil(met func() bool) {
	primary := c.OnPrimary()
	c.Eventually("replay of VACUUM meets the reader", factLimit, func(context.Context) (bool, string, error) {
		primary.Do(readVacuumSQL)
		return met(), "the reader goes on", nil
	})
}

// snapshotReaders makes a table with rows and gives the transaction that reads it.
func (c *C) snapshotReaders() []string {
	primary := c.writer()
	primary.Do(readTableSQL)
	primary.Do(readRowsSQL)
	c.Replay()
	return []string{beginOldSQL, readCountSQL}
}

func snapshotConflicts(c *C) {
	c.Schema()
	c.quiet()
	c.withoutFeedback()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	transaction := c.snapshotReaders()
	before := c.conflictCounts()
	running, idle := c.runningVictim(transaction), c.idleVictim(transaction)
	c.OnPrimary().Do(readDeleteSQL)
	c.vacuumUntil(func() bool { return running.end.over() && idle.end.over() })
	running.struck("ERROR", serialization, rowVersionsDetail)
	idle.struck("FATAL", serialization, rowVersionsDetail)
	running.leave()
	c.mustCount(before, snapshotConflict, 2)
}

func lockConflicts(c *C) {
	primary := c.writer()
	c.quiet()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	before := c.conflictCounts()
	statements := []string{`ALTER TABLE read ADD COLUMN more int`, `TRUNCATE read`, `DROP TABLE read`}
	for _, sql := range statements {
		primary.Do(readTableSQL)
		primary.Do(readRowsSQL)
		c.Replay()
		// In a READ COMMITTED transaction the lock outlives the snapshot.
		transaction := []string{beginSQL, readCountSQL}
		running, idle := c.runningVictim(transaction), c.idleVictim(transaction)
		primary.Do(sql)
		running.struck("ERROR", serialization, lockDetail)
		idle.struck("FATAL", serialization, lockDetail)
		running.leave()
	}
	c.mustCount(before, lockConflict, int64(2*len(statements)))
}

func pinConflicts(c *C) {
	primary := c.writer()
	c.quiet()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	c.pinnedTable()
	before := c.conflictCounts()
	transaction := []string{beginSQL, readCursorSQL, readFetchSQL}
	running, idle := c.runningVictim(transaction), c.idleVictim(transaction)
	primary.Do(readVacuumSQL)
	running.struck("ERROR", serialization, pinDetail)
	idle.struck("FATAL", serialization, pinDetail)
	running.leave()
	c.mustCount(before, pinConflict, 2)
}

// pinnedTable makes a table of one page, some rows of which were rolled back.
// No snapshot can need them, so VACUUM removes them at once, and replay wants
// nothing but the page for itself.
func (c *C) pinnedTable() {
	primary := c.OnPrimary()
	primary.Do(readTableSQL)
	primary.Do(readRowsSQL)
	primary.Do(beginSQL)
	primary.Do(abortedRowsSQL)
	primary.Do(rollBackSQL)
	c.write() // a rollback is not flushed by itself
	c.Replay()
}

func retrySucceeds(c *C) {
	c.Schema()
	c.quiet()
	c.withoutFeedback()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	transaction := c.snapshotReaders()
	reader := c.runningVictim(transaction)
	c.OnPrimary().Do(readDeleteSQL)
	c.vacuumUntil(reader.end.over)
	if state := reader.end.answer(factLimit).Code; state != serialization {
		c.Fatalf("the reader was ended with SQLSTATE %s, must be %s: nothing to try again", state, serialization)
	}
	c.Replay()
	if rows := c.readAgain(reader.Session); rows != 0 {
		c.Errorf("the read sees %d rows when tried again, the primary has deleted all", rows)
	}
}

// readAgain does what a client should do after SQLSTATE 40001. Replay repeats
// its signal to a reader that is slow to react, so that FATAL 40001 may follow
// the ERROR: a second attempt must do, as nothing is left to conflict with.
func (c *C) readAgain(session *Session) (rows int64) {
	const attempts = 2
	var err error
	for range attempts {
		if session.IsClosed() {
			session = c.reader(nil)
		}
		if rows, err = session.readAnew(); err == nil {
			return rows
		}
		if state := pair.SQLState(err); state != serialization {
			break
		}
	}
	c.Fatalf("%s: the read fails when tried again: %v", session.node.Name(), err)
	return 0
}

func (s *Session) readAnew() (rows int64, err error) {
	for _, sql := range []string{rollBackSQL, beginOldSQL} {
		if err := s.Try(sql); err != nil {
			return 0, err
		}
	}
	if err := s.QueryRow(s.c.ctx, readCountSQL).Scan(&rows); err != nil {
		return 0, err
	}
	return rows, s.Try(commitSQL)
}
