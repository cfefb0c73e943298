package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	discardSessionSQL = `DISCARD ALL`
	setInSessionSQL   = `SET %s = %s; `
	searchPathSQL     = `SET search_path = %s, public`
)

// Borrow is a session from the node's pool, given back clean after the check.
// It costs no login, which takes longer than most checks; a check that is
// about logging in, or that changes what DISCARD ALL does not undo, takes
// NewSession instead.
func (c *C) Borrow(node *pair.Node) *Session {
	pool, err := node.Pool(c.Context())
	if err != nil {
		c.Fatalf("%v", err)
	}
	connection, err := pool.Acquire(c.Context())
	if err != nil {
		c.Fatalf("connect to %s: %v", node.Name(), err)
	}
	session := &Session{c: c, node: node, Conn: connection.Conn()}
	c.Cleanup(func(ctx context.Context) error {
		defer connection.Release()
		if session.IsClosed() {
			return nil
		}
		if session.PgConn().TxStatus() != 'I' {
			// The check ended in the middle of a transaction.
			if _, err := session.Exec(ctx, rollBackSQL); err != nil {
				return err
			}
		}
		return session.restore(ctx)
	})
	session.begin()
	return session
}

// Fresh undoes what the session has set, prepared, declared and locked,
// except an open transaction.
func (s *Session) Fresh() {
	if err := s.restore(s.c.Context()); err != nil {
		s.c.Fatalf("%s: session cannot be used further: %v", s.node.Name(), err)
	}
	s.begin()
}

// restore empties both ends of the session: the statements that pgx has
// prepared are among what DISCARD ALL drops.
func (s *Session) restore(ctx context.Context) error {
	_, err := s.Exec(ctx, discardSessionSQL)
	return errors.Join(err, s.DeallocateAll(ctx))
}

// begin makes the session one of the check's, in one round trip. DISCARD ALL
// goes back to what role and database set.
func (s *Session) begin() {
	var sql strings.Builder
	for _, one := range sessionParameters() {
		fmt.Fprintf(&sql, setInSessionSQL, one.name, one.value)
	}
	if s.c.schema != "" {
		fmt.Fprintf(&sql, searchPathSQL, pgx.Identifier{s.c.schema}.Sanitize())
	}
	s.Do(sql.String())
}
