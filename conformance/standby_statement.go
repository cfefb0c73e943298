package conformance

import (
	"fmt"
	"io"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// statement is one row of a table: what is sent to the standby, and what must
// come of it.
type statement struct {
	sql   []string // sent one at a time; those before the last must succeed
	state string   // SQLSTATE that must refuse the last; empty when it must succeed
	value string   // what the last result must read; empty for any
	since int      // first server_version_num that it holds for, 0 for any
	until int      // last server_version_num that it holds for, 0 for any
}

// refused is a statement that must fail with a SQLSTATE, after others that
// only lead up to it.
func refused(state string, sql ...string) statement { return statement{state: state, sql: sql} }

// allowed is a sequence of statements that must all succeed.
func allowed(sql ...string) statement { return statement{sql: sql} }

// answers is a sequence of statements that must all succeed. value is the
// first column of the first row of the last result, as text.
func answers(value string, sql ...string) statement { return statement{value: value, sql: sql} }

func (row statement) from(version int) statement { row.since = version; return row }
func (row statement) upTo15() statement          { row.until = 159999; return row }

func (row statement) holdsFor(version int) bool {
	return version >= row.since && (row.until == 0 || version <= row.until)
}

// judge says what is wrong with an outcome, or "". sent is how many of the
// statements were sent, value the last result, err what ended the sequence.
func (row statement) judge(sent int, value string, err error) string {
	text := strings.Join(row.sql, "; ")
	switch {
	case err != nil && sent < len(row.sql):
		return fmt.Sprintf("%s: failed before the statement in question: %v", text, err)
	case row.state == "" && err != nil:
		return fmt.Sprintf("%s: %v, must succeed", text, err)
	case row.state != "" && err == nil:
		return fmt.Sprintf("%s: succeeded, must fail with SQLSTATE %s", text, row.state)
	case row.state != "" && pair.SQLState(err) != row.state:
		return fmt.Sprintf("%s: %v, must fail with SQLSTATE %s", text, err, row.state)
	case row.value != "" && value != row.value:
		return fmt.Sprintf("%s: answers %q, must answer %q", text, value, row.value)
	}
	return ""
}

const (
	serverVersionSQL = `SHOW server_version_num`
	recoveryStateSQL = `SELECT pg_is_in_recovery()`
	rollBackSQL      = `ROLLBACK`
)

// try runs a table of statements, each from a clean session state, and
// reports every row that came out otherwise. That the state can be cleaned
// shows after each row that the session is still usable.
//
// On a server that accepts writes the refused ones would do harm, so nothing
// is sent unless the server is in recovery.
func (s *Session) try(rows ...statement) {
	if state := s.text(recoveryStateSQL); state != "t" {
		s.c.Fatalf("%s: pg_is_in_recovery() answers %q: not a standby, no write is tried on it", s.node.Name(), state)
	}
	var version int
	if _, err := fmt.Sscan(s.text(serverVersionSQL), &version); err != nil {
		s.c.Fatalf("%s: read server_version_num: %v", s.node.Name(), err)
	}
	s.Fresh() // from here on nothing is prepared: send uses the simple protocol
	tried := 0
	for _, row := range rows {
		if !row.holdsFor(version) {
			continue
		}
		tried++
		var value string
		var err error
		sent := 0
		for _, sql := range row.sql {
			sent++
			var answer *string
			if answer, err = s.send(sql); err != nil {
				break
			}
			if answer != nil {
				value = *answer
			}
		}
		if wrong := row.judge(sent, value, err); wrong != "" {
			s.c.Errorf("%s: %s", s.node.Name(), wrong)
		}
		if s.PgConn().TxStatus() != 'I' {
			s.Do(rollBackSQL)
		}
		s.Do(discardSessionSQL)
		s.begin()
	}
	if tried == 0 {
		s.c.Skipf("no statement of this class applies to server version %d", version)
	}
}

// text is the answer of a query that must succeed.
func (s *Session) text(sql string) string {
	answer, err := s.send(sql)
	switch {
	case err != nil:
		s.c.Fatalf("%s: %s: %v", s.node.Name(), sql, err)
	case answer == nil:
		s.c.Fatalf("%s: %s: answered no row", s.node.Name(), sql)
	}
	return *answer
}

// send executes one statement by the simple protocol, as psql does, so that
// it leaves no prepared statement behind. The answer is the first column of
// the first row as text, "NULL" for NULL, or the command tag of a COPY; nil
// when there is no row.
func (s *Session) send(sql string) (answer *string, err error) {
	ctx, connection := s.c.Context(), s.PgConn()
	switch {
	case strings.HasSuffix(sql, "FROM STDIN"):
		tag, err := connection.CopyFrom(ctx, strings.NewReader(""), sql)
		text := tag.String()
		return &text, err
	case strings.HasSuffix(sql, "TO STDOUT"):
		tag, err := connection.CopyTo(ctx, io.Discard, sql)
		text := tag.String()
		return &text, err
	}
	results, err := connection.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 || len(results[0].Rows) == 0 || len(results[0].Rows[0]) == 0 {
		return nil, err
	}
	text := "NULL"
	if cell := results[0].Rows[0][0]; cell != nil {
		text = string(cell)
	}
	return &text, nil
}

const (
	beginSQL  = `BEGIN`
	commitSQL = `COMMIT`
)

// replayed executes statements on the primary in one transaction, in the
// check's schema, waits until the standby has replayed them, and gives a
// session there. Without statements nothing is made or awaited.
func (c *C) replayed(sql ...string) *Session {
	if len(sql) == 0 {
		return c.Borrow(c.Pair().Standby())
	}
	c.Schema()
	primary := c.Borrow(c.Pair().Primary)
	primary.Do(beginSQL)
	for _, statement := range sql {
		primary.Do(statement)
	}
	primary.Do(commitSQL)
	c.Replay()
	return c.Borrow(c.Pair().Standby())
}

// What the statements of the tables name. Every check has a schema of its own.
const (
	tableSQL    = `CREATE TABLE t (id int PRIMARY KEY, v text)`
	tableRowSQL = `INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 100) AS n`
)
