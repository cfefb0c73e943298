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
	// readersSQL looks for the application's sessions of this database that hold a snapshot.
	readersSQL = `
SELECT EXISTS (SELECT FROM pg_stat_activity
 WHERE datname = current_database() AND application_name <> '` + controlName + `'
   AND backend_type = 'client backend' AND backend_xmin IS NOT NULL)`
	// heldBackSQL says whether a standby keeps the primary from removing rows.
	heldBackSQL = `
SELECT EXISTS (SELECT FROM pg_stat_replication WHERE backend_xmin IS NOT NULL)
    OR EXISTS (SELECT FROM pg_replication_slots WHERE xmin IS NOT NULL)`

	serializationFailure = "40001"

	scratchTableSQL  = `CREATE TABLE IF NOT EXISTS pairtest_conflict (n int)`
	scratchRowSQL    = `INSERT INTO pairtest_conflict VALUES (1)`
	scratchDeleteSQL = `DELETE FROM pairtest_conflict`
	scratchVacuumSQL = `VACUUM (TRUNCATE) pairtest_conflict`
	scratchDropSQL   = `DROP TABLE IF EXISTS pairtest_conflict`
	// scratchGoneSQL says whether VACUUM has removed every row: then it has given back the table's pages.
	scratchGoneSQL = `SELECT pg_relation_size('pairtest_conflict') = 0`

	// holdersSQL names who may keep VACUUM on the primary from removing rows.
	holdersSQL = `
SELECT coalesce(string_agg(holder, '; ' ORDER BY holder), 'nobody who is seen') FROM (
  SELECT format('session %s (%s, application_name %L)', pid, state, application_name) AS holder FROM pg_stat_activity
   WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid()
     AND (datname = current_database() OR datname IS NULL)
   UNION ALL SELECT format('prepared transaction %L', gid) FROM pg_prepared_xacts WHERE database = current_database()
   UNION ALL SELECT format('replication slot %s', slot_name) FROM pg_replication_slots WHERE xmin IS NOT NULL) AS holders`
)

// errNobodyRead says that there was nothing to conflict with.
var errNobodyRead = errors.New("no transaction holds a snapshot")

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
// otherwise be over before the conflict comes. While somebody keeps the primary
// from removing rows, by a transaction that is open there for example, no
// conflict can come: the error names who does.
//
// The settings that this takes are put back: max_standby_streaming_delay when
// it has struck, hot_standby_feedback at the end of the test.
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
			restore, err = p.withoutFeedback(ctx)
			if err != nil {
				close(struck)
				return err
			}
			go func() {
				defer close(struck)
				struck <- p.conflict(background)
			}()
			return nil
		},
		needs: []Role{Primary, Standby},
		undo: func(ctx context.Context) error {
			cancel()
			var errs []error
			for err := range struck {
				if !errors.Is(err, errNobodyRead) { // which is the test's own matter
					errs = append(errs, err)
				}
			}
			errs = append(errs, restore(ctx), p.control.Primary.Exec(ctx, scratchDropSQL))
			return errors.Join(errs...)
		},
	})
	return func() {
		tb.Helper()
		if err := <-struck; err != nil {
			tb.Fatalf("%s: %v", what, err)
		}
	}
}

// withoutFeedback has the primary keep no rows for readers on the standby.
func (p *Pair) withoutFeedback(ctx context.Context) (restore func(context.Context) error, err error) {
	restore, err = setParameter(ctx, p.node(Standby), "hot_standby_feedback", "off")
	if err != nil {
		return restore, err
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
// see, and returns when the standby has removed it too. Replay is impatient
// only for that long: whatever else the primary removes would be a second
// conflict. It looks at its settings before each record.
func (p *Pair) conflict(ctx context.Context) (err error) {
	err = pair.Poll(ctx, conflictInterval, func(ctx context.Context) (bool, error) {
		return pair.One[bool](ctx, p.control.Standby(), readersSQL)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errNobodyRead, err)
	}
	restore, err := setParameter(ctx, p.node(Standby), "max_standby_streaming_delay", "0")
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		err = errors.Join(err, restore(ctx))
	}()
	if err != nil {
		return err
	}
	if err := p.removeRow(ctx); err != nil {
		return err
	}
	err = p.control.WaitForReplay(ctx)
	for pair.SQLState(err) == serializationFailure { // the question itself was in the way
		err = p.control.WaitForReplay(ctx)
	}
	return err
}

// removeRow has the primary remove a row that every transaction could see which
// is open now. VACUUM keeps what a snapshot on the primary may still see, and
// says nothing of that.
func (p *Pair) removeRow(ctx context.Context) error {
	const interval = 50 * time.Millisecond
	primary := p.control.Primary
	if err := primary.Exec(ctx, scratchTableSQL); err != nil {
		return err
	}
	var holders string
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		for _, sql := range []string{scratchRowSQL, scratchDeleteSQL, scratchVacuumSQL} {
			if err := primary.Exec(ctx, sql); err != nil {
				return false, err
			}
		}
		gone, err := pair.One[bool](ctx, primary, scratchGoneSQL)
		if err != nil || gone {
			return gone, err
		}
		holders, err = pair.One[string](ctx, primary, holdersSQL)
		return false, err
	})
	if err != nil && holders != "" {
		return fmt.Errorf("remove a row on %s, which is held back by %s: %w", primary.Name(), holders, err)
	}
	return err
}
