package pairtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	// readersSQL looks for other sessions of this database that hold a snapshot.
	readersSQL = `
SELECT EXISTS (SELECT FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend' AND backend_xmin IS NOT NULL)`
	// heldBackSQL says whether a standby keeps the primary from removing rows.
	heldBackSQL = `
SELECT EXISTS (SELECT FROM pg_stat_replication WHERE backend_xmin IS NOT NULL)
    OR EXISTS (SELECT FROM pg_replication_slots WHERE xmin IS NOT NULL)`

	scratchTableSQL  = `CREATE TABLE IF NOT EXISTS pairtest_conflict (n int)`
	scratchRowSQL    = `INSERT INTO pairtest_conflict VALUES (1)`
	scratchDeleteSQL = `DELETE FROM pairtest_conflict`
	scratchVacuumSQL = `VACUUM pairtest_conflict`
	scratchDropSQL   = `DROP TABLE IF EXISTS pairtest_conflict`
)

// conflictInterval is the pause between two looks for a reader on the standby.
const conflictInterval = 2 * time.Millisecond

// Conflict waits in the background for a transaction on the standby that holds
// a snapshot, in this pair's own database, and then makes one recovery conflict
// with it and with every other one that is open: a statement that runs ends
// with SQLSTATE 40001, a session that is idle in its transaction is terminated
// with that state. It strikes once, so that an application that tries again
// succeeds.
//
// The function it gives waits until the conflict has struck, and fails the
// test when it has not within a minute. Calling it from within the transaction
// makes sure of the moment; a statement that takes no time at all may
// otherwise be over before the conflict comes.
//
// The end of the test puts back the settings that this takes
// (max_standby_streaming_delay, hot_standby_feedback).
//
// Source: PostgreSQL documentation, "Handling Query Conflicts".
func (p *Pair) Conflict(tb testing.TB) (wait func()) {
	tb.Helper()
	background, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), removeLimit)
	struck := make(chan error, 1)
	restore := func(context.Context) error { return nil }
	what := "conflict on " + p.node(Standby).Name()
	p.inject(tb, what, fault{
		strike: func(ctx context.Context) (err error) {
			if restore, err = p.impatient(ctx); err != nil {
				close(struck)
				return err
			}
			go func() {
				defer close(struck)
				struck <- p.conflict(background)
			}()
			return nil
		},
		heal: func(ctx context.Context) error {
			cancel()
			for range struck { // until it is closed
			}
			return errors.Join(p.control.Primary.Exec(ctx, scratchDropSQL), restore(ctx), p.control.WaitForReplay(ctx))
		},
	})
	return func() {
		tb.Helper()
		if err := <-struck; err != nil {
			tb.Fatalf("%s: %v", what, err)
		}
	}
}

// impatient has replay wait for no reader, and the primary keep no rows for one.
func (p *Pair) impatient(ctx context.Context) (restore func(context.Context) error, err error) {
	var restores []func(context.Context) error
	restore = func(ctx context.Context) error {
		var errs []error
		for _, one := range restores {
			errs = append(errs, one(ctx))
		}
		return errors.Join(errs...)
	}
	for _, one := range []struct{ name, value string }{
		{"hot_standby_feedback", "off"}, {"max_standby_streaming_delay", "0"},
	} {
		undo, err := setParameter(ctx, p.node(Standby), one.name, one.value)
		restores = append(restores, undo)
		if err != nil {
			return restore, err
		}
	}
	err = pair.Poll(ctx, conflictInterval, func(ctx context.Context) (bool, error) {
		held, err := pair.One[bool](ctx, p.control.Primary, heldBackSQL)
		return !held, err
	})
	if err != nil {
		err = fmt.Errorf("wait until the primary keeps no rows for the standby: %w", err)
	}
	return restore, err
}

// conflict waits for a reader, removes a row that its snapshot could still
// see, and returns when the standby has removed it too.
func (p *Pair) conflict(ctx context.Context) error {
	err := pair.Poll(ctx, conflictInterval, func(ctx context.Context) (bool, error) {
		return pair.One[bool](ctx, p.control.Standby(), readersSQL)
	})
	if err != nil {
		return fmt.Errorf("wait for a transaction that holds a snapshot: %w", err)
	}
	for _, sql := range []string{scratchTableSQL, scratchRowSQL, scratchDeleteSQL, scratchVacuumSQL} {
		if err := p.control.Primary.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return p.control.WaitForReplay(ctx)
}
