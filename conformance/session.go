package conformance

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Session is one connection of a check to one node. Its search_path begins
// with the check's own schema. Failures of its methods fail the check.
type Session struct {
	c    *C
	node *pair.Node
	*pgx.Conn
}

const (
	createSchemaSQL = `CREATE SCHEMA `
	dropSchemaSQL   = `DROP SCHEMA IF EXISTS %s CASCADE`
)

// parameter is a run-time parameter with a value.
type parameter struct{ name, value string }

// sessionParameters are what a role or a database may set otherwise, and what
// statements of checks rely on.
func sessionParameters() []parameter {
	return []parameter{
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"bytea_output", "hex"},
		{"client_min_messages", "notice"},
	}
}

// Schema is the check's own schema, made on the primary at the first call and
// removed after the check. A table in it whose rows are updated or deleted has a
// replica identity: a publication FOR ALL TABLES would have that refused.
func (c *C) Schema() string {
	if c.schema != "" {
		return c.schema
	}
	name := c.ScratchName()
	quoted := pgx.Identifier{name}.Sanitize()
	primary := c.Pair().Primary
	if !c.check.Consumes { // other checks of its scene may look at it, and the servers do not stay
		c.Cleanup(func(ctx context.Context) error {
			return primary.Exec(ctx, fmt.Sprintf(dropSchemaSQL, quoted))
		})
	}
	if err := primary.Exec(c.ctx, createSchemaSQL+quoted); err != nil {
		c.Fatalf("create schema of the check: %v", err)
	}
	c.schema = name
	return name
}

// OnPrimary is the check's session on the primary.
func (c *C) OnPrimary() *Session { return c.on(c.Pair().Primary) }

// OnStandby is the check's session on the first standby. Right after
// OnPrimary made the schema the standby may not have it: see Replay.
func (c *C) OnStandby() *Session { return c.on(c.Pair().Standby()) }

func (c *C) on(node *pair.Node) *Session {
	if session, ok := c.sessions[node]; ok && !session.IsClosed() {
		return session
	}
	session := c.NewSession(node)
	c.sessions[node] = session
	return session
}

// NewSession opens one more session, closed after the check.
func (c *C) NewSession(node *pair.Node, options ...pair.SessionOption) *Session {
	return c.sessionIn(node, c.Schema(), options...)
}

// sessionIn opens a session in a schema that another check may have made.
func (c *C) sessionIn(node *pair.Node, schema string, options ...pair.SessionOption) *Session {
	path := pgx.Identifier{schema}.Sanitize() + ", public"
	given := []pair.SessionOption{pair.WithParameter("search_path", path)}
	for _, one := range sessionParameters() {
		given = append(given, pair.WithParameter(one.name, one.value))
	}
	connection, err := node.Connect(c.ctx, append(given, options...)...)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(connection)
	return &Session{c: c, node: node, Conn: connection}
}

// Do executes a statement that must succeed.
func (s *Session) Do(sql string, arguments ...any) {
	if err := s.Try(sql, arguments...); err != nil {
		s.c.Fatalf("%v", err)
	}
}

// Try executes a statement and gives its error, with the node and the statement.
func (s *Session) Try(sql string, arguments ...any) error {
	if _, err := s.Exec(s.c.ctx, sql, arguments...); err != nil {
		return fmt.Errorf("%s: %s: %w", s.node.Name(), sql, err)
	}
	return nil
}

// Refuses executes a statement that must fail with a SQLSTATE.
func (s *Session) Refuses(sqlState, sql string, arguments ...any) {
	err := s.Try(sql, arguments...)
	switch {
	case err == nil:
		s.c.Errorf("%s: %s: succeeded, must fail with SQLSTATE %s", s.node.Name(), sql, sqlState)
	case pair.SQLState(err) != sqlState:
		s.c.Errorf("%v: must fail with SQLSTATE %s", err, sqlState)
	}
}

// Value reads the single value of a query that must succeed.
func Value[T any](s *Session, sql string, arguments ...any) T {
	rows, err := s.Query(s.c.ctx, sql, arguments...)
	if err != nil {
		s.c.Fatalf("%s: %s: %v", s.node.Name(), sql, err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		s.c.Fatalf("%s: %s: %v", s.node.Name(), sql, err)
	}
	return value
}

// Column reads the only column of a query that must succeed.
func Column[T any](s *Session, sql string, arguments ...any) []T {
	rows, err := s.Query(s.c.ctx, sql, arguments...)
	if err != nil {
		s.c.Fatalf("%s: %s: %v", s.node.Name(), sql, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		s.c.Fatalf("%s: %s: %v", s.node.Name(), sql, err)
	}
	return values
}
