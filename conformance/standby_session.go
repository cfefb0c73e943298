package conformance

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// standbySessionChecks: what a refused write leaves behind, and whether
// anybody may override the refusal.
func standbySessionChecks() []Check {
	return []Check{
		{
			ID:         "standby/refused-write-leaves-session-usable",
			Obligation: "A refused write must end no more than its own transaction or savepoint, and PL/pgSQL must be able to catch it.",
			Level:      Must, Source: hotStandby, Run: refusedWriteLeavesSessionUsable,
		},
		{
			ID:         "standby/refused-write-leaves-no-trace",
			Obligation: "Refused writes must leave rows, relations and sequences of both nodes as they were, and no lock.",
			Level:      Must, Source: hotStandby, Run: refusedWriteLeavesNoTrace,
		},
		{
			ID:         "standby/refuses-superuser",
			Obligation: "A standby must stay read-only for a superuser too, whatever the session sets.",
			Level:      Must, Source: hotStandby, Needs: Needs{Superuser: true}, Run: refusesSuperuser,
		},
	}
}

const (
	refusedInsertSQL = `INSERT INTO t VALUES (1000, 'x')`
	catchFunctionSQL = `CREATE FUNCTION f_catch() RETURNS text LANGUAGE plpgsql AS
'BEGIN INSERT INTO t VALUES (1000, ''x''); RETURN ''written''; EXCEPTION WHEN read_only_sql_transaction THEN RETURN ''caught''; END'`
	catchSQL          = `SELECT f_catch()`
	savepointSQL      = `SAVEPOINT a`
	backToSavepoint   = `ROLLBACK TO a`
	backendPIDSQL     = `SELECT pg_backend_pid()`
	failedTransaction = "25P02"
)

func refusedWriteLeavesSessionUsable(c *C) {
	standby := c.replayed(tableSQL, tableRowSQL, catchFunctionSQL)
	backend := Value[int32](standby, backendPIDSQL)
	reads := func(after string) {
		if count := Value[int](standby, countRowsSQL); count != 100 {
			c.Errorf("the session reads %d rows after %s, must read 100", count, after)
		}
	}
	ends := func(want string) {
		if tag, err := standby.Exec(c.Context(), commitSQL); err != nil || tag.String() != want {
			c.Errorf("COMMIT answers %q (error %v), must answer %s", tag, err, want)
		}
	}

	standby.Refuses("25006", refusedInsertSQL)
	reads("a refused INSERT")

	standby.Do(beginSQL)
	standby.Refuses("25006", refusedInsertSQL)
	standby.Refuses(failedTransaction, countRowsSQL)
	ends("ROLLBACK")
	reads("a transaction that failed")

	standby.Do(beginSQL)
	standby.Do(savepointSQL)
	standby.Refuses("25006", refusedInsertSQL)
	standby.Do(backToSavepoint)
	reads("going back to the savepoint")
	ends("COMMIT")

	if caught := Value[string](standby, catchSQL); caught != "caught" {
		c.Errorf("a handler for read_only_sql_transaction answers %q, must answer caught", caught)
	}
	if now := Value[int32](standby, backendPIDSQL); now != backend {
		c.Errorf("the session is served by process %d, was served by %d", now, backend)
	}
}

const (
	// traceSQL tells everything in the check's schema that a write could have changed.
	traceSQL = `
SELECT (SELECT count(*) || ' rows ' || md5(string_agg(t::text, ',' ORDER BY id)) FROM t)
    || ', sequence ' || (SELECT last_value || ' ' || is_called FROM sq)
    || ', relations ' || (SELECT string_agg(relname || ':' || relkind::text || ':' || relfilenode, ' ' ORDER BY relname)
                            FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`
	heldLocksSQL = `SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('t'::regclass, 'sq'::regclass)`
	markTableSQL = `CREATE TABLE barrier ()`
	dropMarkSQL  = `DROP TABLE barrier`
)

func refusedWriteLeavesNoTrace(c *C) {
	standby := c.replayed(tableSQL, tableRowSQL, sequenceSQL, nextvalSQL)
	primary := c.Borrow(c.Pair().Primary)
	before := primary.text(traceSQL)
	seenBefore := standby.text(traceSQL)

	standby.try(
		refused("25006", refusedInsertSQL),
		refused("25006", `UPDATE t SET v = 'y'`),
		refused("25006", `DELETE FROM t`),
		refused("25006", `TRUNCATE t`),
		refused("25006", `COPY t FROM STDIN`),
		refused("25006", `SELECT nextval('sq')`),
		refused("25006", `CREATE TABLE x (a int)`),
		refused("25006", `CREATE TEMP TABLE x (a int)`),
		refused("25006", `DROP TABLE t`),
		refused("25006", `REINDEX TABLE t`),
		refused("25006", `BEGIN`, `LOCK TABLE t`),
	)
	// Another commit is the barrier: what the standby had sent or kept would show after it.
	primary.Do(markTableSQL)
	primary.Do(dropMarkSQL)
	c.Replay()
	if after := primary.text(traceSQL); after != before {
		c.Errorf("refused writes changed the primary: before %s, after %s", before, after)
	}
	if after := standby.text(traceSQL); after != seenBefore {
		c.Errorf("refused writes changed the standby: before %s, after %s", seenBefore, after)
	}
	if held := Value[int](standby, heldLocksSQL); held != 0 {
		c.Errorf("the session still holds %d locks after refused writes", held)
	}
}

const (
	definerFunctionSQL = `CREATE FUNCTION f_definer() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO t VALUES (1000, ''x'')'`
	isSuperuserSQL     = `SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER`
	grantSchemaSQL     = `GRANT USAGE ON SCHEMA %s TO %s`
	grantTableSQL      = `GRANT ALL ON t TO %s`
)

func refusesSuperuser(c *C) {
	role := pgx.Identifier{c.scratchRole(`NOLOGIN`)}.Sanitize()
	schema := pgx.Identifier{c.Schema()}.Sanitize()
	c.replayed(tableSQL, tableRowSQL, definerFunctionSQL,
		fmt.Sprintf(grantSchemaSQL, schema, role), fmt.Sprintf(grantTableSQL, role)).try(
		answers("t", isSuperuserSQL),
		refused("25006", refusedInsertSQL),
		refused("25006", fmt.Sprintf(`SET ROLE %s`, role), refusedInsertSQL),
		refused("25006", fmt.Sprintf(`SET SESSION AUTHORIZATION %s`, role), refusedInsertSQL),
		refused("25006", `SELECT f_definer()`),
		refused("25006", `SET session_replication_role = replica`, refusedInsertSQL),
		refused("25006", `SET allow_system_table_mods = on`, `UPDATE pg_class SET relname = relname WHERE false`),
		refused("0A000", `BEGIN`, `SET LOCAL transaction_read_only = off`),
		refused("25006", `BEGIN`, `SET LOCAL default_transaction_read_only = off`, refusedInsertSQL),
	)
}
