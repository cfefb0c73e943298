package pairtest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	pauseSQL      = `SELECT pg_wal_replay_pause()`
	resumeSQL     = `SELECT pg_wal_replay_resume()`
	pausedSQL     = `SELECT pg_is_wal_replay_paused()`
	pauseStateSQL = `SELECT pg_get_wal_replay_pause_state() = 'paused'`
)

// HoldReplay pauses replay: the standby receives everything and shows none of
// it. Every read on it is stale until the fault is healed, however long the
// test waits. Healing resumes replay and waits until the standby has caught up.
//
// Source: PostgreSQL documentation, "Recovery Control Functions".
func (p *Pair) HoldReplay(tb testing.TB) (heal func()) {
	tb.Helper()
	standby := p.node(Standby)
	held := &layer{apply: func(context.Context) error { return nil }} // another hold undoes nothing of it
	return p.inject(tb, "hold replay of "+standby.Name(), fault{
		strike: func(ctx context.Context) error {
			p.holds.begin(held, func(ctx context.Context) error { return standby.Exec(ctx, resumeSQL) })
			if err := standby.Exec(ctx, pauseSQL); err != nil {
				return err
			}
			return waitHeld(ctx, standby)
		},
		needs: []Role{Standby},
		undo:  func(ctx context.Context) error { return p.holds.end(ctx, held) },
	})
}

// waitHeld waits until replay stands. What was written before has been replayed
// or not; nothing moves from now on.
func waitHeld(ctx context.Context, standby *pair.Node) error {
	const interval, since = 2 * time.Millisecond, 140000 // the version that tells "requested" from "paused"
	identity, err := standby.Identity(ctx)
	if err != nil {
		return err
	}
	sql := pauseStateSQL
	if identity.VersionNumber < since {
		sql = pausedSQL
	}
	return pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		return pair.One[bool](ctx, standby, sql)
	})
}

// DelayReplay makes the standby show each commit that much later, by the clocks
// of the two servers. Healing takes the delay away and waits until the standby
// has caught up. Of several, the newest that is in force counts.
//
// Source: PostgreSQL documentation, recovery_min_apply_delay.
func (p *Pair) DelayReplay(tb testing.TB, delay time.Duration) (heal func()) {
	tb.Helper()
	standby := p.node(Standby)
	set := func(ctx context.Context) (restore func(context.Context) error, err error) {
		// Its base unit is the millisecond.
		return setParameter(ctx, standby, "recovery_min_apply_delay", strconv.FormatInt(delay.Milliseconds(), 10))
	}
	delayed := &layer{apply: func(ctx context.Context) error {
		_, err := set(ctx)
		return err
	}}
	return p.inject(tb, fmt.Sprintf("delay replay of %s by %s", standby.Name(), delay), fault{
		strike: func(ctx context.Context) error {
			restore, err := set(ctx)
			p.delays.begin(delayed, restore)
			return err
		},
		needs: []Role{Standby},
		undo:  func(ctx context.Context) error { return p.delays.end(ctx, delayed) },
	})
}
