package conformance

// standbyLockChecks: locks on rows, tables and numbers.
func standbyLockChecks() []Check {
	return []Check{
		{
			ID:         "standby/refuses-row-locks",
			Obligation: "A standby must refuse SELECT ... FOR UPDATE and its weaker forms with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesRowLocks,
		},
		{
			ID:         "standby/refuses-strong-table-locks",
			Obligation: "A standby must refuse table locks stronger than ROW EXCLUSIVE with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesStrongTableLocks,
		},
		{
			ID:         "standby/allows-weak-table-locks",
			Obligation: "A standby must allow table locks up to ROW EXCLUSIVE inside a transaction.",
			Level:      Must, Source: hotStandby, Run: allowsWeakTableLocks,
		},
		{
			ID:         "standby/advisory-locks-are-local",
			Obligation: "Advisory locks must work on a standby as on any server, and must not be shared with the primary.",
			Level:      Must, Source: administrators, Run: advisoryLocksAreLocal,
		},
	}
}

func refusesRowLocks(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `SELECT * FROM t FOR UPDATE`),
		refused("25006", `SELECT * FROM t FOR NO KEY UPDATE`),
		refused("25006", `SELECT * FROM t FOR SHARE`),
		refused("25006", `SELECT * FROM t FOR KEY SHARE`),
		refused("25006", `SELECT * FROM t FOR UPDATE SKIP LOCKED`),
		refused("25006", `SELECT * FROM t FOR UPDATE NOWAIT`),
		refused("25006", `BEGIN`, `DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE`),
	)
}

func refusesStrongTableLocks(c *C) {
	c.replayed(tableSQL).try(
		refused("25006", `LOCK TABLE t`),
		refused("25006", `BEGIN`, `LOCK TABLE t`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN SHARE MODE`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN EXCLUSIVE MODE`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN ACCESS EXCLUSIVE MODE`),
		refused("25006", `BEGIN`, `LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT`),
	)
}

func allowsWeakTableLocks(c *C) {
	c.replayed(tableSQL).try(
		allowed(`BEGIN`, `LOCK TABLE t IN ACCESS SHARE MODE`, `COMMIT`),
		allowed(`BEGIN`, `LOCK TABLE t IN ROW SHARE MODE`, `COMMIT`),
		allowed(`BEGIN`, `LOCK TABLE t IN ROW EXCLUSIVE MODE`, `COMMIT`),
		refused("25P01", `LOCK TABLE t IN ACCESS SHARE MODE`),
	)
}

const (
	lockKeySQL   = `SELECT hashtextextended($1, 0)`
	lockSQL      = `SELECT pg_advisory_lock($1)`
	tryLockSQL   = `SELECT pg_try_advisory_lock($1)`
	unlockSQL    = `SELECT pg_advisory_unlock($1)`
	unlockAllSQL = `SELECT pg_advisory_unlock_all()`
)

func advisoryLocksAreLocal(c *C) {
	primary, standby := c.Borrow(c.Pair().Primary), c.replayed()
	other := c.Borrow(c.Pair().Standby())
	key := Value[int64](primary, lockKeySQL, c.ScratchName())

	primary.Do(lockSQL, key)
	if !Value[bool](standby, tryLockSQL, key) {
		c.Errorf("pg_try_advisory_lock(%d) fails on the standby while only the primary holds the key", key)
	}
	// Both nodes hold it now: each must still keep out its own second session.
	if Value[bool](other, tryLockSQL, key) {
		c.Errorf("pg_try_advisory_lock(%d) succeeds in a second session of the standby while the first holds the key", key)
	}
	if !Value[bool](standby, unlockSQL, key) {
		c.Errorf("pg_advisory_unlock(%d) says that the standby's session did not hold the key", key)
	}
	if !Value[bool](other, tryLockSQL, key) {
		c.Errorf("pg_try_advisory_lock(%d) fails on the standby after the holder has let go", key)
	}
	other.Do(unlockAllSQL)
	if !Value[bool](primary, unlockSQL, key) {
		c.Errorf("pg_advisory_unlock(%d) says that the primary's session did not hold the key", key)
	}
	standby.try(
		allowed(`SELECT pg_advisory_xact_lock(hashtext(current_schema()))`),
		allowed(`BEGIN`, `SELECT pg_advisory_lock_shared(hashtext(current_schema()))`, `ROLLBACK`),
		allowed(`SELECT pg_advisory_unlock_all()`),
	)
}
