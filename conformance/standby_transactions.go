package conformance

// standbyTransactionChecks: what needs a transaction number, a write mode or
// a message to other sessions.
func standbyTransactionChecks() []Check {
	return []Check{
		{
			ID:         "standby/refuses-nextval",
			Obligation: "A standby must refuse nextval() and setval() with SQLSTATE 25006, and answer currval() and lastval() as undefined.",
			Level:      Must, Source: hotStandby, Run: refusesNextval,
		},
		{
			ID:         "standby/refuses-notify",
			Obligation: "A standby must refuse LISTEN and NOTIFY with SQLSTATE 25006 and allow UNLISTEN.",
			Level:      Must, Source: hotStandby, Run: refusesNotify,
		},
		{
			ID:         "standby/refuses-prepare-transaction",
			Obligation: "A standby must refuse the commands of two-phase commit with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesPrepareTransaction,
		},
		{
			ID:         "standby/refuses-transaction-ids",
			Obligation: "A standby must refuse to assign a transaction id with SQLSTATE 25006, and still tell snapshots.",
			Level:      Must, Source: hotStandby, Run: refusesTransactionIDs,
		},
		{
			ID:         "standby/refuses-read-write-mode",
			Obligation: "A standby must refuse to make a transaction read-write with SQLSTATE 0A000; a session default of read-write must not let writes through.",
			Level:      Must, Source: hotStandby, Run: refusesReadWriteMode,
		},
		{
			ID:         "standby/refuses-serializable",
			Obligation: "A standby must refuse SERIALIZABLE with SQLSTATE 0A000 and allow REPEATABLE READ.",
			Level:      Must, Source: `PostgreSQL documentation, "Hot Standby", "Caveats"`, Run: refusesSerializable,
		},
		{
			ID:         "standby/refuses-unlogged-reads",
			Obligation: "A standby must refuse to read unlogged relations with SQLSTATE 0A000, for it never gets their content.",
			Level:      Must, Source: `PostgreSQL documentation, "CREATE TABLE", UNLOGGED`, Run: refusesUnloggedReads,
		},
	}
}

const (
	sequenceSQL         = `CREATE SEQUENCE sq`
	nextvalSQL          = `SELECT nextval('sq')`
	unloggedSQL         = `CREATE UNLOGGED TABLE ul (a int)`
	unloggedRowSQL      = `INSERT INTO ul VALUES (1)`
	unloggedIndexSQL    = `CREATE INDEX ON ul (a)`
	unloggedSequenceSQL = `CREATE UNLOGGED SEQUENCE ulsq`
	versionNumberSQL    = `SELECT current_setting('server_version_num')::int`

	defaultSerializableSQL = `SET default_transaction_isolation = 'serializable'`
	resetIsolationSQL      = `RESET default_transaction_isolation`
)

func refusesNextval(c *C) {
	c.replayed(sequenceSQL, nextvalSQL).try(
		refused("25006", `SELECT nextval('sq')`),
		refused("25006", `SELECT setval('sq', 5)`),
		refused("25006", `SELECT setval('sq', 5, false)`),
		refused("55000", `SELECT currval('sq')`),
		refused("55000", `SELECT lastval()`),
		// The WAL is ahead of the sequence: 32 values are logged at a time.
		answers("33", `SELECT last_value FROM sq`),
		answers("33", `SELECT pg_sequence_last_value('sq')`),
	)
}

func refusesNotify(c *C) {
	c.replayed().try(
		refused("25006", `LISTEN a`),
		refused("25006", `NOTIFY a`),
		refused("25006", `NOTIFY a, 'b'`),
		refused("25006", `SELECT pg_notify('a', 'b')`),
		allowed(`UNLISTEN a`),
		allowed(`UNLISTEN *`),
	)
}

func refusesPrepareTransaction(c *C) {
	c.replayed().try(
		refused("25006", `BEGIN`, `PREPARE TRANSACTION 'conformance_absent'`),
		refused("25006", `COMMIT PREPARED 'conformance_absent'`),
		refused("25006", `ROLLBACK PREPARED 'conformance_absent'`),
	)
}

func refusesTransactionIDs(c *C) {
	c.replayed().try(
		refused("25006", `SELECT txid_current()`),
		refused("25006", `SELECT pg_current_xact_id()`),
		answers("NULL", `SELECT txid_current_if_assigned()`),
		answers("NULL", `SELECT pg_current_xact_id_if_assigned()`),
		answers("t", `SELECT pg_current_snapshot() IS NOT NULL`),
		answers("t", `SELECT txid_current_snapshot() IS NOT NULL`),
		// These two stop at an internal error, not at a check of the mode.
		refused("XX000", `SELECT pg_logical_emit_message(true, 'a', 'b')`),
		refused("XX000", `SELECT pg_logical_emit_message(false, 'a', 'b')`),
	)
}

func refusesReadWriteMode(c *C) {
	c.replayed(tableSQL).try(
		refused("0A000", `BEGIN READ WRITE`),
		refused("0A000", `START TRANSACTION READ WRITE`),
		refused("0A000", `SET TRANSACTION READ WRITE`),
		refused("0A000", `BEGIN`, `SET TRANSACTION READ WRITE`),
		refused("0A000", `BEGIN`, `SET LOCAL transaction_read_only = off`),
		refused("0A000", `BEGIN READ ONLY`, `SET TRANSACTION READ WRITE`),
		refused("0A000", `SET transaction_read_only = off`),
		answers("on", `SET default_transaction_read_only = off`, `SHOW transaction_read_only`),
		allowed(`SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`),
		refused("25006", `SET default_transaction_read_only = off`, `INSERT INTO t VALUES (1, 'z')`),
		refused("25006", `SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`, `INSERT INTO t VALUES (1, 'z')`),
		refused("25006", `SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`, `BEGIN`, `INSERT INTO t VALUES (1, 'z')`),
	)
}

func refusesSerializable(c *C) {
	standby := c.replayed(tableSQL, tableRowSQL)
	standby.try(
		refused("0A000", `BEGIN ISOLATION LEVEL SERIALIZABLE`),
		refused("0A000", `BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE`),
		refused("0A000", `START TRANSACTION ISOLATION LEVEL SERIALIZABLE`),
		refused("0A000", `BEGIN`, `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`),
		answers("100", `BEGIN ISOLATION LEVEL REPEATABLE READ`, `SELECT count(*) FROM t`, `COMMIT`),
		answers("100", `SET default_transaction_isolation = 'repeatable read'`, `SELECT count(*) FROM t`),
	)
	// With this default even DISCARD ALL is refused, so it is no row of the table.
	standby.Do(defaultSerializableSQL)
	standby.Refuses("0A000", countRowsSQL)
	standby.Do(resetIsolationSQL)
}

func refusesUnloggedReads(c *C) {
	fixture := []string{unloggedSQL, unloggedRowSQL, unloggedIndexSQL}
	if Value[int](c.Borrow(c.Pair().Primary), versionNumberSQL) >= 150000 {
		fixture = append(fixture, unloggedSequenceSQL)
	}
	c.replayed(fixture...).try(
		refused("0A000", `SELECT * FROM ul`),
		refused("0A000", `SELECT count(*) FROM ul`),
		refused("0A000", `SELECT * FROM ul WHERE a = 1`),
		refused("0A000", `COPY (SELECT * FROM ul) TO STDOUT`),
		refused("0A000", `SELECT * FROM ulsq`).from(150000),
		// Older minor versions fail here: it was mended in 15.8 and 16.4.
		answers("NULL", `SELECT pg_sequence_last_value('ulsq')`).from(150008).upTo15(),
		answers("NULL", `SELECT pg_sequence_last_value('ulsq')`).from(160004),
		answers("t", `SELECT relpersistence = 'u' FROM pg_class WHERE oid = 'ul'::regclass`),
	)
}
