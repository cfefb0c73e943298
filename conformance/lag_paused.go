package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func lagPaused() []Check {
	const source = "PostgreSQL documentation, Recovery Control Functions"
	needs := Needs{Superuser: true, Exclusive: true}
	return []Check{
		{
			ID:         "lag/pause-keeps-receiving",
			Obligation: "A standby whose replay is paused should go on receiving: what was written is durable there, the gap shows, and resuming closes it.",
			Level:      Should,
			Needs:      needs,
			Source:     source,
			Disturbs:   true,
			Run:        pauseKeepsReceiving,
		},
		{
			ID:         "lag/pause-states",
			Obligation: "Pausing and resuming replay should show as pause requested, paused and not paused.",
			Level:      Should,
			Needs:      Needs{Superuser: true, Exclusive: true, Since: 14},
			Source:     source,
			Disturbs:   true,
			Run:        pauseStates,
		},
		{
			ID:         "lag/apply-delay",
			Obligation: "A standby with recovery_min_apply_delay, set by a reload, should show a commit that much later and not earlier.",
			Level:      Should,
			Needs:      needs,
			Source:     "PostgreSQL documentation, Standby Servers, recovery_min_apply_delay",
			Disturbs:   true,
			Run:        applyDelay,
		},
	}
}

const (
	pauseReplaySQL  = `SELECT pg_wal_replay_pause()`
	resumeReplaySQL = `SELECT pg_wal_replay_resume()`
	replayPausedSQL = `SELECT pg_is_wal_replay_paused()`
	replayStateSQL  = `SELECT pg_get_wal_replay_pause_state()`

	delayedTableSQL = `CREATE TABLE delayed (at timestamptz)`
	delayedRowSQL   = `INSERT INTO delayed VALUES (clock_timestamp())`
	delayedCountSQL = `SELECT count(*) FROM delayed`

	pauseBound = 10 * time.Second
)

// pauseReplay pauses replay on the first standby until the check resumes it
// or ends.
func (c *C) pauseReplay() {
	standby := c.Pair().Standby()
	if Value[bool](c.OnStandby(), replayPausedSQL) {
		c.Skipf("replay is paused on %s already", standby.Name())
	}
	c.Cleanup(func(ctx context.Context) error { return standby.Exec(ctx, resumeReplaySQL) })
	c.OnStandby().Do(pauseReplaySQL)
}

func pauseKeepsReceiving(c *C) {
	primary, standby := c.writer(), c.OnStandby()
	primary.Do(delayedTableSQL)
	c.Replay()
	c.pauseReplay()
	primary.Do(delayedRowSQL)
	written := c.currentLSN()
	var sender pair.WALSender
	c.Eventually(fmt.Sprintf("the paused standby has flushed %s", written), pauseBound, func(ctx context.Context) (ok bool, seen string, err error) {
		sender, err = c.senderTo(ctx, c.Pair().Standby())
		return err == nil && sender.Flush >= written, "flush_lsn " + sender.Flush.String(), err
	})
	if sender.Replay >= written {
		c.Errorf("replay is paused and yet reported up to %s, the row was written before %s", sender.Replay, written)
	}
	if rows := Value[int64](standby, delayedCountSQL); rows != 0 {
		c.Errorf("the paused standby shows %d rows that were written after the pause", rows)
	}
	standby.Do(resumeReplaySQL)
	c.Replay()
	if rows := Value[int64](standby, delayedCountSQL); rows != 1 {
		c.Errorf("after resuming the standby shows %d rows, want 1", rows)
	}
}

func pauseStates(c *C) {
	standby := c.OnStandby()
	if state := Value[string](standby, replayStateSQL); state != "not paused" {
		c.Errorf("state before the pause is %q, want %q", state, "not paused")
	}
	c.pauseReplay()
	if state := Value[string](standby, replayStateSQL); state != "pause requested" && state != "paused" {
		c.Errorf("state right after the request is %q", state)
	}
	c.Eventually("replay is paused", pauseBound, func(context.Context) (bool, string, error) {
		state := Value[string](standby, replayStateSQL)
		return state == "paused", state, nil
	})
	standby.Do(resumeReplaySQL)
	if state := Value[string](standby, replayStateSQL); state != "not paused" {
		c.Errorf("state after resuming is %q, want %q", state, "not paused")
	}
}

const (
	delaySettingSQL = `SELECT current_setting('recovery_min_apply_delay')`

	// delayedBySQL compares the clocks that the server compares: the
	// standby's now and the primary's at the time of the row.
	delayedBySQL = `SELECT COALESCE(extract(epoch FROM clock_timestamp() - max(at)) * 1000, -1)::float8 FROM delayed`
)

func applyDelay(c *C) {
	const delay = 300 * time.Millisecond
	primary, standby := c.writer(), c.OnStandby()
	if before := Value[string](standby, delaySettingSQL); before != "0" {
		c.Skipf("%s has recovery_min_apply_delay = %s already", c.Pair().Standby().Name(), before)
	}
	primary.Do(delayedTableSQL)
	c.Replay()
	c.Set(c.Pair().Standby(), "recovery_min_apply_delay", delay.String(), delay.String())
	primary.Do(delayedRowSQL)
	var after float64
	c.Eventually("the delayed row is visible", pauseBound, func(context.Context) (bool, string, error) {
		after = Value[float64](standby, delayedBySQL)
		return after >= 0, "no row", nil
	})
	c.Measure("delay", after, "ms")
	if after < milliseconds(delay) {
		c.Errorf("the row is visible %.1f ms after it was written, must be %s at the least", after, delay)
	}
}
