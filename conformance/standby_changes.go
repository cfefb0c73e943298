package conformance

// standbyChangeChecks: statements that change rows.
func standbyChangeChecks() []Check {
	return []Check{
		{
			ID:         "standby/refuses-insert",
			Obligation: "A standby must refuse every form of INSERT with SQLSTATE 25006, even one that would add no row.",
			Level:      Must, Source: hotStandby, Run: refusesInsert,
		},
		{
			ID:         "standby/refuses-update",
			Obligation: "A standby must refuse UPDATE with SQLSTATE 25006, even one that would change no row.",
			Level:      Must, Source: hotStandby, Run: refusesUpdate,
		},
		{
			ID:         "standby/refuses-delete",
			Obligation: "A standby must refuse DELETE with SQLSTATE 25006, even one that would remove no row.",
			Level:      Must, Source: hotStandby, Run: refusesDelete,
		},
		{
			ID:         "standby/refuses-merge",
			Obligation: "A standby must refuse MERGE with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Needs: Needs{Since: 15}, Run: refusesMerge,
		},
		{
			ID:         "standby/refuses-truncate",
			Obligation: "A standby must refuse TRUNCATE with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesTruncate,
		},
		{
			ID:         "standby/refuses-copy-from",
			Obligation: "A standby must refuse COPY FROM with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesCopyFrom,
		},
	}
}

const (
	insertFunctionSQL = `CREATE FUNCTION f_ins() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1000, ''x''); SELECT 1'`
	insertViewSQL     = `CREATE VIEW w AS SELECT id, v FROM t`
)

func refusesInsert(c *C) {
	c.replayed(tableSQL, tableRowSQL, insertFunctionSQL, insertViewSQL).try(
		refused("25006", `INSERT INTO t VALUES (1000, 'x')`),
		refused("25006", `INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING`),
		refused("25006", `INSERT INTO t VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = 'y'`),
		refused("25006", `INSERT INTO t SELECT 1 WHERE false`),
		refused("25006", `INSERT INTO w VALUES (1000, 'x')`),
		refused("25006", `SELECT f_ins()`),
		refused("25006", `DO $$BEGIN INSERT INTO t VALUES (1000, 'a'); END$$`),
		refused("25006", `PREPARE q AS INSERT INTO t VALUES (1000, 'a')`, `EXECUTE q`),
		refused("25006", `EXPLAIN ANALYZE INSERT INTO t VALUES (1000, 'a')`),
		refused("25006", `WITH x AS (INSERT INTO t VALUES (1000, 'a') RETURNING 1) SELECT * FROM x`),
		refused("25006", `SET default_transaction_read_only = off`, `INSERT INTO t VALUES (1000, 'z')`),
	)
}

func refusesUpdate(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `UPDATE t SET v = 'y' WHERE id = 1`),
		refused("25006", `UPDATE t SET v = 'y' WHERE false`),
		refused("25006", `UPDATE t SET v = v`),
		refused("25006", `WITH x AS (UPDATE t SET v = 'y' RETURNING 1) SELECT * FROM x`),
		refused("25006", `EXPLAIN ANALYZE UPDATE t SET v = 'y' WHERE id = 1`),
		refused("25006", `DO $$BEGIN UPDATE t SET v = 'y'; END$$`),
	)
}

func refusesDelete(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `DELETE FROM t WHERE id = 1`),
		refused("25006", `DELETE FROM t WHERE false`),
		refused("25006", `WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x`),
		refused("25006", `EXPLAIN ANALYZE DELETE FROM t WHERE id = 1`),
	)
}

func refusesMerge(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `MERGE INTO t USING (SELECT 1 AS i) AS s ON t.id = s.i WHEN MATCHED THEN DELETE`),
		refused("25006", `MERGE INTO t USING (SELECT 1 AS i) AS s ON t.id = s.i WHEN MATCHED THEN UPDATE SET v = 'y'`),
		refused("25006", `MERGE INTO t USING (SELECT 0 AS i) AS s ON t.id = s.i WHEN NOT MATCHED THEN INSERT VALUES (0, 'n')`),
	)
}

func refusesTruncate(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `TRUNCATE t`),
		refused("25006", `TRUNCATE t RESTART IDENTITY CASCADE`),
		refused("25006", `BEGIN`, `TRUNCATE t`),
	)
}

func refusesCopyFrom(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `COPY t FROM STDIN`),
		refused("25006", `COPY t (id, v) FROM STDIN`),
		refused("25006", `BEGIN`, `COPY t FROM STDIN`),
	)
}
