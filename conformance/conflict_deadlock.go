package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictDeadlockChecks() []Check {
	return []Check{
		{
			ID:         "conflict/deadlock",
			Obligation: "A reader on the standby that waits for replay while replay waits for it must be ended with ERROR 40001 and counted, whatever the delay.",
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: deadlockWithReplay,
		},
		{
			ID:         "conflict/deadlock-is-not-entered",
			Obligation: "A reader on the standby that replay waits for must not begin to wait for replay: ERROR 40P01 at once, whatever the delay.",
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: deadlockNotEntered,
		},
	}
}

const (
	deadlockDetail   = "User transaction caused buffer deadlock with recovery."
	deadlockDetected = "40P01"

	lockedTableSQL = `CREATE TABLE locked (id int)`
	lockLockedSQL  = `LOCK TABLE locked IN ACCESS EXCLUSIVE MODE`
	readLockedSQL  = `SELECT count(*) FROM locked`
	// lockedSQL counts the locks on the table: with $2 those that are held,
	// otherwise those that somebody waits for.
	lockedSQL = `SELECT count(*) FROM pg_locks WHERE relation = $1::oid AND granted = $2`
	oidSQL    = `SELECT 'locked'::regclass::oid`
)

// lockedByReplay has an open transaction of the primary lock a table, so that
// replay holds the lock on the standby until the transaction ends. Prepared
// transactions would do the same, but few servers allow them.
func (c *C) lockedByReplay() (holder *Session, table uint32) {
	primary := c.OnPrimary()
	primary.Do(lockedTableSQL)
	holder = c.NewSession(c.Pair().Primary)
	holder.Do(beginSQL)
	holder.Do(lockLockedSQL)
	c.write() // the lock's record is flushed with the next commit
	c.Replay()
	table = Value[uint32](primary, oidSQL)
	c.lockSeen(table, true)
	return holder, table
}

// lockSeen waits until a lock on the table shows on the standby.
func (c *C) lockSeen(table uint32, granted bool) {
	c.Eventually(fmt.Sprintf("a lock on table %d shows on the standby, granted %t", table, granted), factLimit,
		func(ctx context.Context) (bool, string, error) {
			count, err := pair.One[int64](ctx, c.Pair().Standby(), lockedSQL, table, granted)
			return count == 1, fmt.Sprintf("%d locks", count), err
		})
}

// patient has replay wait for readers for ever.
func (c *C) patient() { c.Set(c.Pair().Standby(), delayName, "-1", "-1") }

func deadlockWithReplay(c *C) {
	primary := c.writer()
	c.quiet()
	c.patient()
	c.Set(c.Pair().Standby(), "deadlock_timeout", shortDelay, shortDelay)
	c.pinnedTable()
	holder, table := c.lockedByReplay()
	before := c.conflictCounts()
	reader := c.reader([]string{beginSQL, readCursorSQL, readFetchSQL})
	running := &victim{Session: reader, end: reader.start(readLockedSQL)}
	c.lockSeen(table, false)
	primary.Do(readVacuumSQL)
	running.struck("ERROR", serialization, deadlockDetail)
	running.leave()
	c.mustCount(before, deadlockConflict, 1)
	holder.Do(rollBackSQL)
}

func deadlockNotEntered(c *C) {
	primary := c.writer()
	c.quiet()
	c.patient()
	c.pinnedTable()
	holder, _ := c.lockedByReplay()
	reader := c.reader([]string{beginSQL, readCursorSQL, readFetchSQL})
	primary.Do(readVacuumSQL)
	c.replayWaits("BufferPin", "BufferCleanup")
	running := &victim{Session: reader, end: reader.start(readLockedSQL)}
	running.struck("ERROR", deadlockDetected, deadlockDetail)
	holder.Do(rollBackSQL)
}
