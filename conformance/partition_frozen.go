package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func partitionFrozen() []Check {
	return []Check{
		{
			ID:         "partition/frozen-standby-shows",
			Obligation: "A frozen standby must show on the primary in bytes and in the age of its last reply, also while it still counts as streaming and its lag stands still.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_stat_replication": replay_lag, reply_time`,
			Run:    frozenStandbyShows,
		},
		{
			ID:         "partition/frozen-standby-resumes",
			Obligation: "A standby that was frozen for longer than wal_sender_timeout must stream again by itself and lack no acknowledged row.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Sending Servers": wal_sender_timeout`,
			Run:    frozenStandbyResumes,
		},
		{
			ID:         "partition/frozen-standby-and-primary-stop",
			Obligation: "The primary should stop cleanly within its grace period also while its standby is frozen: a fast shutdown waits for a standby up to wal_sender_timeout.",
			Level:      Should, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Shutting Down the Server", wal_sender_timeout; compose specification: stop_grace_period`,
			Run:    frozenStandbyAndPrimaryStop,
		},
	}
}

// viewOfStandby is what the primary tells of a standby, read in one statement.
type viewOfStandby struct {
	State     string         `db:"state"`
	Behind    int64          `db:"behind"` // bytes between the current position and what was replayed
	ReplayLag *time.Duration `db:"replay_lag"`
	ReplyAge  time.Duration  `db:"reply_age"`
}

func (v viewOfStandby) String() string {
	lag := "NULL"
	if v.ReplayLag != nil {
		lag = v.ReplayLag.String()
	}
	return fmt.Sprintf("state %s, replay_lag %s, last reply %s ago, %d bytes behind", v.State, lag, v.ReplyAge.Round(time.Millisecond), v.Behind)
}

const viewOfStandbySQL = `
SELECT COALESCE(state, '') AS state,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS behind,
       replay_lag,
       clock_timestamp() - reply_time AS reply_age
  FROM pg_stat_replication
 WHERE pid = $1 AND reply_time IS NOT NULL AND replay_lsn IS NOT NULL`

func frozenStandbyShows(c *C) {
	const old, much = 2 * time.Second, 1 << 20
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	// This is about the time before the WAL sender gives up.
	c.Set(primary, "wal_sender_timeout", "60s", "1min")
	sender := c.streamTo(standby).sender.PID
	ledger := c.KeepWriting(primary)
	var view viewOfStandby
	look := func(wanted func() bool) func(ctx context.Context) (bool, string, error) {
		return func(ctx context.Context) (ok bool, seen string, err error) {
			view, err = pair.OneRow[viewOfStandby](ctx, primary, viewOfStandbySQL, sender)
			return err == nil && wanted(), view.String(), err
		}
	}
	c.Eventually("the standby replies, and a lag is known, while the primary writes", ackLimit, look(func() bool {
		return view.ReplayLag != nil && view.ReplyAge < time.Second && view.Behind < much
	}))
	frozen := c.Pause(standby)
	c.emitWAL(primary, much)
	c.Eventually("no reply of the frozen standby is on its way any more", ackLimit, look(func() bool { return view.ReplyAge > old/2 }))
	still := view.ReplayLag
	c.Eventually("the frozen standby shows in bytes and in the age of its reply", ackLimit, look(func() bool {
		return view.Behind >= much && view.ReplyAge > old
	}))
	c.Logf("frozen: %s", view)
	if view.State != "streaming" {
		c.Errorf("frozen for %s: %s; PostgreSQL counts it as streaming up to wal_sender_timeout", view.ReplyAge, view)
	}
	// A last reply that had nothing outstanding leaves no lag to stand still.
	if view.ReplayLag != nil {
		c.Measure("replay_lag-of-a-frozen-standby", milliseconds(*view.ReplayLag), "ms")
		c.Measure("age-of-its-last-reply", milliseconds(view.ReplyAge), "ms")
		if still != nil && *view.ReplayLag != *still {
			c.Errorf("%s: replay_lag was %s before: it follows the truth here, so this check knows less than the server", view, *still)
		}
	}
	frozen.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	c.mustCommitSwiftly(ledger)
	c.Replay()
	ledger.MustHoldAll(standby)
}

func frozenStandbyResumes(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.Set(primary, "wal_sender_timeout", silence.String(), silence.String())
	c.retryQuickly(standby)
	c.StreamsAgain(standby)
	started := c.serverBegan(standby)
	sender := c.streamTo(standby).sender.PID
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	frozen := c.Pause(standby)
	c.awaitNoSender(sender)
	ledger.WaitAcknowledged(1)
	frozen.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	ledger.Stop()
	c.mustNotHaveRestarted(standby, started)
	c.mustCommitSwiftly(ledger)
	c.Replay()
	ledger.MustHoldAll(standby)
}

// awaitNoSender waits until the primary has ended a WAL sender.
func (c *C) awaitNoSender(pid int32) {
	const within = 30 * time.Second
	c.Eventually(fmt.Sprintf("%s ends WAL sender %d", c.Pair().Primary.Name(), pid), within, func(ctx context.Context) (bool, string, error) {
		senders, err := c.Pair().Primary.WALSenders(ctx)
		for _, one := range senders {
			if one.PID == pid {
				return false, describeSenders(senders), err
			}
		}
		return true, "it is gone", err
	})
}

func frozenStandbyAndPrimaryStop(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.Replay()
	sender := c.streamTo(standby).sender.PID
	frozen := c.Pause(standby)
	ledger.WaitAcknowledged(1)
	view := askRow[viewOfStandby](c, primary, viewOfStandbySQL, sender)
	if view.Behind == 0 {
		c.Fatalf("the frozen standby has all that was written: nothing is there to wait for (%s)", view)
	}
	began := time.Now()
	stopped := c.Stop(primary)
	took := time.Since(began)
	ledger.Stop()
	state := c.inspect(primary)
	c.Measure("stop", milliseconds(took), "ms")
	if state.State != "exited" || state.ExitCode != 0 {
		c.Errorf("%s: container %s, exit code %d, after a stop of %s with %s of grace; wal_sender_timeout must be shorter than the grace period",
			primary.Name(), state.State, state.ExitCode, took.Round(time.Millisecond), state.Grace)
	}
	stopped.Heal()
	frozen.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	c.Replay()
	ledger.MustHoldAll(primary)
	ledger.MustHoldAll(standby)
}
