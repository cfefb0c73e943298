package pairtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// errNotPromoted says that the server refused to become a primary in time.
var errNotPromoted = errors.New("pg_promote() was not done within 60 s")

const promoteSQL = `SELECT pg_promote()`

// Promote makes the standby a primary and returns when it takes writes. The
// old primary is left as it is: kill it before, as a failover does, or have two
// that take writes. Healing throws away what was written to the promoted
// server: it starts the old primary, if it is down, and makes the standby anew
// from it.
//
// Source: PostgreSQL documentation, "Failover", pg_promote.
func (p *Pair) Promote(tb testing.TB) (heal func()) {
	tb.Helper()
	standby := p.node(Standby)
	return p.inject(tb, "promote "+standby.Name(), fault{
		strike: func(ctx context.Context) error {
			conn, err := standby.Connect(ctx)
			if err != nil {
				return err
			}
			var promoted bool
			err = conn.QueryRow(ctx, promoteSQL).Scan(&promoted)
			if err == nil && !promoted {
				err = errNotPromoted
			}
			return errors.Join(err, conn.Close(ctx))
		},
		takes:  []Role{Standby}, // as a standby
		starts: true,
		undo: func(ctx context.Context) error {
			if err := p.failBack(ctx); err != nil {
				return fmt.Errorf("make the standby anew: %w", err)
			}
			return nil
		},
	})
}
