package conformance

import (
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// conflictKind is a column of pg_stat_database_conflicts.
type conflictKind string

const (
	tablespaceConflict conflictKind = "confl_tablespace"
	lockConflict       conflictKind = "confl_lock"
	snapshotConflict   conflictKind = "confl_snapshot"
	pinConflict        conflictKind = "confl_bufferpin"
	deadlockConflict   conflictKind = "confl_deadlock"
)

// victim is a session of the standby that stands in the way of replay.
type victim struct {
	*Session
	end *background
}

const (
	sleepSQL           = `SELECT pg_sleep(600)`
	noStatementLimit   = `SET statement_timeout = 0`
	noIdleLimit        = `SET idle_in_transaction_session_timeout = 0`
	victimLanguageName = "lc_messages"
)

// reader is a session of the standby with an open transaction. Its messages
// are in English, and no timeout of its own ends it.
func (c *C) reader(transaction []string, options ...pair.SessionOption) *Session {
	session := c.NewSession(c.Pair().Standby(), append(options, pair.WithParameter(victimLanguageName, "C"))...)
	session.Do(noStatementLimit)
	session.Do(noIdleLimit)
	for _, sql := range transaction {
		session.Do(sql)
	}
	return session
}

// idleVictim is a reader that is idle in its transaction.
func (c *C) idleVictim(transaction []string, options ...pair.SessionOption) *victim {
	session := c.reader(transaction, options...)
	return &victim{Session: session, end: session.listen()}
}

// runningVictim is a reader in the middle of a query of its transaction.
func (c *C) runningVictim(transaction []string, options ...pair.SessionOption) *victim {
	session := c.reader(transaction, options...)
	running := session.start(sleepSQL)
	session.waitsFor("PgSleep")
	return &victim{Session: session, end: running}
}

// struck waits until replay has ended the victim, which must happen in the
// given way.
func (v *victim) struck(severity, sqlState, detail string) {
	answer := v.end.answer(factLimit)
	if answer.SeverityUnlocalized != severity || answer.Code != sqlState || answer.Detail != detail {
		v.c.Errorf("%s: %s was answered with %s, must be %s %s, detail %q",
			v.node.Name(), v.end.what, describeAnswer(answer), severity, sqlState, detail)
	}
	if disconnected := v.IsClosed(); disconnected != (severity == "FATAL") {
		v.c.Errorf("%s: after %s the session's connection is closed: %t", v.node.Name(), describeAnswer(answer), disconnected)
	}
}

func describeAnswer(answer *pgconn.PgError) string {
	return answer.SeverityUnlocalized + " " + answer.Code + " " + answer.Message + ", detail \"" + answer.Detail + "\""
}

// leave ends the session, which then reports its statistics.
func (s *Session) leave() {
	if err := s.Close(s.c.ctx); err != nil {
		s.c.Fatalf("close session on %s: %v", s.node.Name(), err)
	}
}
