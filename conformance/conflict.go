package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// conflictChecks is the chapter "conflict": what happens when replay and the
// standby's readers want different things, and what stops replay for good.
// The checks that leave no pair come last.
func conflictChecks() []Check {
	return slices.Concat(
		conflictKindChecks(),
		conflictDeadlockChecks(),
		conflictDropChecks(),
		conflictDelayChecks(),
		conflictFeedbackChecks(),
		conflictXminChecks(),
		conflictTablespaceChecks(),
		conflictParameterChecks(),
	)
}

const queryConflicts = `PostgreSQL documentation, "Hot Standby", "Handling Query Conflicts"`

func conflictNeeds() Needs { return Needs{Superuser: true, Exclusive: true} }

const (
	// shortDelay makes replay win soon.
	shortDelay = "100ms"
	delayName  = "max_standby_streaming_delay"
)

// quiet leaves the primary's WAL to the check: what autovacuum removes could
// be a conflict of its own.
func (c *C) quiet() {
	c.Set(c.Pair().Primary, "autovacuum", "off", "off")
}

// withoutFeedback has the standbys hold back no VACUUM, and waits until the
// primary knows.
func (c *C) withoutFeedback() {
	for _, standby := range c.Pair().Standbys {
		c.Set(standby, "hot_standby_feedback", "off", "off")
		c.Eventually("nobody holds back VACUUM for "+standby.Name(), factLimit, func(ctx context.Context) (bool, string, error) {
			xmin, err := c.heldXmin(ctx, standby)
			return xmin == "", "xmin " + xmin, err
		})
	}
}

const heldXminSQL = `
SELECT COALESCE(slot.xmin::text, sender.backend_xmin::text, '')
  FROM pg_stat_replication AS sender
  LEFT JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid
 WHERE sender.pid = $1`

// heldXmin is the oldest transaction whose rows are kept for a standby by the
// server that it streams from, on its slot or, without one, on the WAL sender;
// empty for none.
func (c *C) heldXmin(ctx context.Context, standby *pair.Node) (string, error) {
	receiver, _, err := standby.WALReceiver(ctx)
	if err != nil {
		return "", err
	}
	upstream, sender, err := c.Pair().Upstream(ctx, standby, receiver)
	if err != nil {
		return "", err
	}
	if sender == nil {
		return "", fmt.Errorf("no server has a WAL sender that serves %s", standby.Name())
	}
	return pair.One[string](ctx, upstream, heldXminSQL, sender.PID)
}

// replayWaits waits until the process that replays waits for one of some events.
func (c *C) replayWaits(events ...string) {
	standby := c.Pair().Standby()
	c.Eventually(fmt.Sprintf("replay on %s waits for one of %v", standby.Name(), events), factLimit,
		func(ctx context.Context) (bool, string, error) {
			seen, err := pair.OneRow[backendState](ctx, standby, startupStateSQL)
			return slices.Contains(events, seen.WaitEvent), fmt.Sprintf("%+v", seen), err
		})
}

// conflictCounts is the standby's count of readers that replay has ended, in
// the database of the checks.
type conflictCounts struct {
	Tablespace int64 `db:"confl_tablespace"`
	Lock       int64 `db:"confl_lock"`
	Snapshot   int64 `db:"confl_snapshot"`
	BufferPin  int64 `db:"confl_bufferpin"`
	Deadlock   int64 `db:"confl_deadlock"`
	All        int64 `db:"conflicts"`
}

const conflictCountsSQL = `
SELECT confl_tablespace, confl_lock, confl_snapshot, confl_bufferpin, confl_deadlock, conflicts
  FROM pg_stat_database_conflicts JOIN pg_stat_database USING (datid, datname)
 WHERE datname = current_database()`

func (c *C) conflictCounts() conflictCounts {
	return askRow[conflictCounts](c, c.Pair().Standby(), conflictCountsSQL)
}

// of gives the count of one kind.
func (n conflictCounts) of(kind conflictKind) int64 {
	switch kind {
	case tablespaceConflict:
		return n.Tablespace
	case lockConflict:
		return n.Lock
	case snapshotConflict:
		return n.Snapshot
	case pinConflict:
		return n.BufferPin
	case deadlockConflict:
		return n.Deadlock
	}
	return 0
}

func (n conflictCounts) sum() int64 {
	return n.Tablespace + n.Lock + n.Snapshot + n.BufferPin + n.Deadlock
}

// wronglyCounted says what is wrong after so many readers were ended by a
// conflict of one kind, or "". Replay repeats its signal to a reader that is
// slow to react, so a reader may be counted twice.
func wronglyCounted(before, after conflictCounts, kind conflictKind, readers int64) string {
	own, all := after.of(kind)-before.of(kind), after.sum()-before.sum()
	switch {
	case own < readers:
		return fmt.Sprintf("%s rose by %d, must rise by %d at least", kind, own, readers)
	case all != own:
		return fmt.Sprintf("columns other than %s rose by %d, must stand", kind, all-own)
	case after.All-before.All != all:
		return fmt.Sprintf("conflicts of pg_stat_database rose by %d, its columns in pg_stat_database_conflicts by %d", after.All-before.All, all)
	}
	return ""
}

// mustCount waits for the counters, which a session reports when it ends.
func (c *C) mustCount(before conflictCounts, kind conflictKind, readers int64) {
	c.Eventually(fmt.Sprintf("%d conflicts are counted as %s", readers, kind), factLimit, func(ctx context.Context) (bool, string, error) {
		after, err := pair.OneRow[conflictCounts](ctx, c.Pair().Standby(), conflictCountsSQL)
		wrong := wronglyCounted(before, after, kind, readers)
		return wrong == "", wrong, err
	})
}
