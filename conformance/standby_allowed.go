package conformance

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// standbyAllowedChecks: what a standby is there for.
func standbyAllowedChecks() []Check {
	return []Check{
		{
			ID:         "standby/answers-queries",
			Obligation: "A standby must answer queries with the primary's rows and say that it is a read-only hot standby.",
			Level:      Must, Source: hotStandby, Run: answersQueries,
		},
		{
			ID:         "standby/allows-reads",
			Obligation: "A standby must run every kind of query that writes nothing: joins, cursors, prepared statements, COPY TO, EXPLAIN.",
			Level:      Must, Source: hotStandby, Run: allowsReads,
		},
		{
			ID:         "standby/allows-code-without-writes",
			Obligation: "A standby must run functions, procedures and DO blocks that write nothing.",
			Level:      Must, Source: hotStandby, Run: allowsCodeWithoutWrites,
		},
		{
			ID:         "standby/allows-transactions",
			Obligation: "A standby must allow read-only transactions with savepoints, at READ COMMITTED and REPEATABLE READ.",
			Level:      Must, Source: hotStandby, Run: allowsTransactions,
		},
		{
			ID:         "standby/allows-session-settings",
			Obligation: "A standby must allow a session to change its own settings and role.",
			Level:      Must, Source: hotStandby, Run: allowsSessionSettings,
		},
		{
			ID:         "standby/allows-observation",
			Obligation: "A standby must let a superuser look at its files, control data and statistics, and cancel statements.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true}, Run: allowsObservation,
		},
		{
			ID:         "standby/allows-administration",
			Obligation: "A standby must let a superuser force a restart point, reload its configuration and reset its statistics.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true, Exclusive: true}, Run: allowsAdministration,
		},
		{
			ID:         "standby/allows-base-backup",
			Obligation: "A standby should let a superuser start and stop a base backup of it.",
			Level:      Should, Source: backupFunctions, Needs: Needs{Superuser: true, Exclusive: true, Since: 15}, Run: allowsBaseBackup,
		},
	}
}

func answersQueries(c *C) {
	standby := c.replayed(tableSQL, tableRowSQL)
	const contentSQL = `SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY id)) FROM t`
	want := c.Borrow(c.Pair().Primary).text(contentSQL)
	standby.try(
		answers(want, contentSQL),
		answers("x42", `SELECT v FROM t WHERE id = 42`),
		answers("t", `SELECT pg_is_in_recovery()`),
		answers("on", `SHOW transaction_read_only`),
		answers("on", `SHOW in_hot_standby`).from(140000),
		allowed(`SHOW default_transaction_read_only`),
	)
}

func allowsReads(c *C) {
	c.replayed(tableSQL, tableRowSQL, sequenceSQL, nextvalSQL, matviewSQL).try(
		answers("100", `SELECT count(*) FROM t`),
		answers("5050", `SELECT sum(id) FROM t AS a JOIN t AS b USING (id)`),
		answers("100", `WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100) SELECT max(n) FROM r`),
		answers("3", `SELECT sum(id) OVER (ORDER BY id) FROM t ORDER BY id OFFSET 1 LIMIT 1`),
		answers("100", `SELECT count(*) FROM t AS a, LATERAL (SELECT 1 FROM t AS b WHERE b.id = a.id) AS l`),
		answers("1", `SELECT a FROM mv`),
		answers("1", `VALUES (1)`),
		answers("1", `TABLE mv`),
		answers("COPY 100", `COPY t TO STDOUT`),
		answers("COPY 10", `COPY (SELECT * FROM t WHERE id <= 10) TO STDOUT`),
		answers("1", `BEGIN`, `DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id`, `FETCH 1 FROM c`, `CLOSE c`, `COMMIT`),
		answers("99", `BEGIN`, `DECLARE c SCROLL CURSOR FOR SELECT id FROM t ORDER BY id`, `MOVE LAST FROM c`, `FETCH PRIOR FROM c`),
		answers("1", `DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id`, `FETCH 1 FROM c`),
		answers("x7", `PREPARE q (int) AS SELECT v FROM t WHERE id = $1`, `EXECUTE q (7)`),
		allowed(`PREPARE q AS INSERT INTO t VALUES (1, 'a')`),
		allowed(`EXPLAIN INSERT INTO t VALUES (1, 'a')`),
		allowed(`EXPLAIN ANALYZE SELECT * FROM t`),
		answers("33", `SELECT last_value FROM sq`),
		answers("t", `SELECT pg_relation_size('t') > 0`),
		answers("t", `SELECT pg_total_relation_size('t') >= pg_relation_size('t')`),
		answers("t", `SELECT pg_relation_filepath('t') IS NOT NULL`),
	)
}

const (
	readFunctionSQL  = `CREATE FUNCTION f_nowrite() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END'`
	readProcedureSQL = `CREATE PROCEDURE p_nowrite() LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM t; COMMIT; PERFORM 1; END'`
)

func allowsCodeWithoutWrites(c *C) {
	c.replayed(tableSQL, tableRowSQL, readFunctionSQL, readProcedureSQL).try(
		answers("100", `SELECT f_nowrite()`),
		allowed(`CALL p_nowrite()`),
		allowed(`DO $$BEGIN NULL; END$$`),
		allowed(`DO $$BEGIN PERFORM count(*) FROM t; END$$`),
		refused("P0001", `DO $$BEGIN RAISE EXCEPTION 'on purpose'; END$$`),
	)
}

func allowsTransactions(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		answers("100", `BEGIN`, `SELECT count(*) FROM t`, `COMMIT`),
		answers("1", `BEGIN`, `SAVEPOINT a`, `SELECT 1`, `ROLLBACK TO a`, `COMMIT`),
		answers("1", `BEGIN`, `SAVEPOINT a`, `SAVEPOINT b`, `SELECT 1`, `RELEASE a`, `COMMIT`),
		answers("100", `BEGIN READ ONLY`, `SELECT count(*) FROM t`, `COMMIT AND CHAIN`, `ROLLBACK`),
		answers("100", `BEGIN ISOLATION LEVEL REPEATABLE READ`, `SELECT count(*) FROM t`, `COMMIT`),
		answers("100", `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY DEFERRABLE`, `SELECT count(*) FROM t`, `COMMIT`),
		allowed(`BEGIN`, `SET TRANSACTION READ ONLY`, `SET TRANSACTION ISOLATION LEVEL READ COMMITTED`, `ROLLBACK`),
	)
}

func allowsSessionSettings(c *C) {
	standby := c.replayed(tableSQL)
	self := pgx.Identifier{standby.Config().User}.Sanitize()
	standby.try(
		answers("8MB", `SET work_mem = '8MB'`, `SHOW work_mem`),
		answers("9MB", `SELECT set_config('work_mem', '9MB', false)`),
		answers("7MB", `BEGIN`, `SET LOCAL work_mem = '7MB'`, `SHOW work_mem`),
		allowed(`SET synchronous_commit = remote_apply`),
		allowed(`SET default_transaction_read_only = off`),
		allowed(`SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY`),
		allowed(fmt.Sprintf(`SET ROLE %s`, self), `RESET ROLE`),
		allowed(fmt.Sprintf(`SET SESSION AUTHORIZATION %s`, self), `RESET SESSION AUTHORIZATION`),
		allowed(`SET work_mem = '8MB'`, `RESET work_mem`),
		allowed(`RESET ALL`),
		allowed(`SELECT setseed(0.5)`),
		allowed(`DISCARD PLANS`),
		allowed(`DISCARD TEMP`),
		allowed(`DISCARD SEQUENCES`),
		allowed(`DISCARD ALL`),
	)
}

func allowsObservation(c *C) {
	c.replayed(tableSQL).try(
		allowed(`LOAD 'plpgsql'`),
		answers("t", `SELECT count(*) > 0 FROM pg_ls_waldir()`),
		answers("t", `SELECT isdir FROM pg_stat_file('base')`),
		answers("t", `SELECT system_identifier > 0 FROM pg_control_system()`),
		answers("t", `SELECT timeline_id > 0 FROM pg_control_checkpoint()`),
		answers("t", `SELECT count(*) > 0 FROM pg_stat_activity`),
		answers("t", `SELECT count(*) > 0 FROM pg_locks`),
		allowed(`SELECT pg_stat_reset_single_table_counters('t'::regclass)`),
		refused("57014", `SELECT pg_cancel_backend(pg_backend_pid())`),
	)
}

func allowsAdministration(c *C) {
	c.replayed().try(
		allowed(`CHECKPOINT`),
		answers("t", `SELECT pg_reload_conf()`),
		// Without a log collector there is nothing to rotate, which is a warning.
		allowed(`SELECT pg_rotate_logfile()`),
		allowed(`SELECT pg_stat_reset()`),
		allowed(`SELECT pg_stat_reset_shared('bgwriter')`),
	)
}

func allowsBaseBackup(c *C) {
	c.replayed().try(
		answers("t", `SELECT pg_backup_start('conformance', fast => true) IS NOT NULL`, `SELECT lsn IS NOT NULL FROM pg_backup_stop(wait_for_archive => false)`),
	)
}
