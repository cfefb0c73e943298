package conformance

import (
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// standbySnapshotChecks: snapshots that outlive what is replayed.
func standbySnapshotChecks() []Check {
	return []Check{
		{
			ID:         "standby/snapshot-export",
			Obligation: "A snapshot exported on a standby should show every session that takes it the same rows, whatever the primary commits meanwhile.",
			Level:      Should, Source: snapshotSynchronization, Run: snapshotExport(fewSubtransactions),
		},
	}
}

// standbyExecutionChecks: temporary space.
func standbyExecutionChecks() []Check {
	return []Check{
		{
			ID:         "standby/spills-to-disk",
			Obligation: "Sorts and hashes that exceed work_mem should spill to temporary files on a standby, and leave none.",
			Level:      Should, Source: hotStandby, Run: spillsToDisk,
		},
	}
}

// standbyAdvice is what PostgreSQL itself is known to fail: with more open
// subtransactions than shared memory holds, an exported snapshot no longer
// lists what was running, and who takes it sees rows committed later.
func standbyAdvice() []Check {
	return []Check{
		{
			ID:         "standby/snapshot-export-with-many-subtransactions",
			Obligation: "A snapshot exported on a standby should show the same rows to all also when the primary has a transaction with more than 64 subtransactions open.",
			Level:      Should, Source: snapshotSynchronization, Run: manySubtransactionsExport,
		},
	}
}

const snapshotSynchronization = `PostgreSQL documentation, "System Administration Functions", "Snapshot Synchronization Functions"`

// A standby keeps 64 subtransactions of each transaction in shared memory.
// Of more it knows only the parent.
const (
	fewSubtransactions  = 10
	manySubtransactions = 100
)

const (
	// Each turn of the loop is one subtransaction.
	openRowsSQL = `
DO $$BEGIN
  FOR n IN 1001..%d LOOP
    BEGIN INSERT INTO t VALUES (n, 'open'); EXCEPTION WHEN division_by_zero THEN NULL; END;
  END LOOP;
END$$`
	beginRepeatableReadSQL = `BEGIN ISOLATION LEVEL REPEATABLE READ`
	exportSnapshotSQL      = `SELECT pg_export_snapshot()`
	takeSnapshotSQL        = `SET TRANSACTION SNAPSHOT '%s'`
)

// manySubtransactionsExport fails on minor versions that came before the
// repair: that is PostgreSQL's affair, not the pair's.
func manySubtransactionsExport(c *C) {
	const repaired = 150020 // 15.18 fails, 15.20 does not; others were not looked at
	identity, err := c.Pair().Standby().Identity(c.Context())
	if err != nil {
		c.Fatalf("%v", err)
	}
	if identity.VersionNumber/10000 == 15 && identity.VersionNumber < repaired {
		c.Skipf("PostgreSQL %s is known to get this wrong; 15.20 does not", identity.Version)
	}
	snapshotExport(manySubtransactions)(c)
}

func snapshotExport(subtransactions int) func(*C) {
	return func(c *C) {
		exporter := c.replayed(tableSQL, tableRowSQL)
		primary, other := c.Borrow(c.Pair().Primary), c.Borrow(c.Pair().Primary)
		importer, later := c.Borrow(c.Pair().Standby()), c.Borrow(c.Pair().Standby())
		shows := func(session *Session, who string, want int) {
			if count := Value[int](session, countRowsSQL); count != want {
				c.Errorf("%s shows %d rows on the standby, must show %d", who, count, want)
			}
		}

		primary.Do(beginSQL)
		primary.Do(fmt.Sprintf(openRowsSQL, 1000+subtransactions))
		// This commit flushes the WAL of the open transaction too.
		other.Do(oneMoreRowSQL)
		c.Replay()
		exporter.Do(beginRepeatableReadSQL)
		snapshot := Value[string](exporter, exportSnapshotSQL)
		shows(exporter, "the snapshot", 101)
		primary.Do(commitSQL)
		c.Replay()
		if err := exporter.Try(countRowsSQL); pair.SQLState(err) == serialization || exporter.IsClosed() {
			c.Skipf("replay met a recovery conflict with the snapshot, by what else was done on the servers: %v", err)
		}

		importer.Do(beginRepeatableReadSQL)
		importer.Do(fmt.Sprintf(takeSnapshotSQL, snapshot))
		shows(later, "a session without the snapshot", 101+subtransactions)
		shows(importer, "a session that took the snapshot", 101)
		shows(exporter, "the session that exported the snapshot", 101)
		importer.Do(commitSQL)
		exporter.Do(commitSQL)
		shows(exporter, "the same session after its transaction", 101+subtransactions)
		later.Do(beginRepeatableReadSQL)
		if later.Try(fmt.Sprintf(takeSnapshotSQL, snapshot)) == nil {
			c.Errorf("snapshot %s can be taken after the transaction that exported it has ended", snapshot)
		}
		later.Do(rollBackSQL)
	}
}
