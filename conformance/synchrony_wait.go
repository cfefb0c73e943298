package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func synchronyWaitChecks() []Check {
	operated := Needs{Operator: true, Superuser: true, Exclusive: true}
	return []Check{
		{
			ID:         "synchrony/commit-waits-for-standby",
			Obligation: "With a synchronous standby a commit must wait while that is frozen, reads must not, and both must agree once it goes on.",
			Level:      Must, Needs: operated, Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: commitWaitsForStandby,
		},
		{
			ID:         "synchrony/commit-ends-when-standby-returns",
			Obligation: "Commits that wait for a synchronous standby that was cut off must end when it has connected again, and be on it.",
			Level:      Must, Needs: operated, Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: commitEndsWhenStandbyReturns,
		},
		{
			ID:         "synchrony/visible-on-standby-first",
			Obligation: "A row whose commit waits for a synchronous standby should be visible on a standby before it is on the primary.",
			Level:      Should, Needs: synchronyNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: visibleOnStandbyFirst,
		},
		{
			ID:         "synchrony/paused-replay-blocks-remote-apply",
			Obligation: "While replay is paused commits with remote_apply should wait, those with remote_write and on should not.",
			Level:      Should, Needs: pauseStateNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: pausedReplayBlocks,
		},
		{
			ID:         "synchrony/status-interval-zero",
			Obligation: "A commit with remote_apply should not wait longer because the standby reports no status, with wal_receiver_status_interval = 0.",
			Level:      Should, Needs: synchronyNeeds(), Source: `PostgreSQL documentation, "Replication": wal_receiver_status_interval`, Disturbs: true, Limit: faultLimit,
			Run: statusIntervalZero,
		},
	}
}

// frozenLasts is how long a commit is watched waiting: many times what it takes
// where it need not wait.
const frozenLasts = 500 * time.Millisecond

func commitWaitsForStandby(c *C) {
	primary := c.Pair().Primary
	c.commitTable()
	writer := c.committing("on")
	c.synchronous()
	heal := c.freeze()
	commit := writer.commitWaits(1)
	if rows := c.rowOn(primary, 1); rows != 0 {
		c.Errorf("the row of a commit that waits is visible on %s", primary.Name())
	}
	c.stays("the commit waits for the frozen standby", frozenLasts, func() (bool, string) { return !commit.over(), "it has ended" })
	heal()
	commit.released()
	for _, node := range c.Pair().Nodes() {
		c.eventuallyOn(node, 1)
	}
}

func commitEndsWhenStandbyReturns(c *C) {
	c.commitTable()
	writers := []*Session{c.committing("on"), c.committing("remote_apply")}
	c.synchronous()
	for _, standby := range c.Pair().Standbys {
		c.Set(standby, "wal_retrieve_retry_interval", "100ms", "100ms")
	}
	cut := c.cutBothEnds()
	var commits []*background
	for i, writer := range writers {
		commits = append(commits, writer.commitWaits(i))
	}
	for _, injected := range cut {
		injected.Heal()
	}
	healed := time.Now()
	for _, commit := range commits {
		commit.released()
	}
	c.Measure("reconnected-to-released", milliseconds(time.Since(healed)), "ms")
	for i := range writers {
		for _, node := range c.Pair().Nodes() {
			c.eventuallyOn(node, i)
		}
	}
}

// cutBothEnds isolates all standbys and ends what is left of their streams at both
// ends. Shorter timeouts would do that too, and on a busy machine would also
// end the streams that are to come.
func (c *C) cutBothEnds() (cut []*Injection) {
	for _, standby := range c.Pair().Standbys {
		cut = append(cut, c.Isolate(standby))
		c.endReceiver(standby)
	}
	for _, node := range c.Pair().Nodes() { // a standby may serve another one
		c.Eventually("the WAL senders of "+node.Name()+" have ended", factLimit, func(ctx context.Context) (bool, string, error) {
			senders, err := node.WALSenders(ctx)
			for _, sender := range senders {
				err = errors.Join(err, node.Exec(ctx, terminateSQL, sender.PID))
			}
			return len(senders) == 0, describeSenders(senders), err
		})
	}
	return cut
}

// endReceiver ends the WAL receiver of a standby that is cut off, by a signal:
// pg_terminate_backend() does not know it.
func (c *C) endReceiver(standby *pair.Node) {
	var signalled int32
	c.Eventually("the WAL receiver of "+standby.Name()+" has ended", factLimit, func(ctx context.Context) (bool, string, error) {
		receiver, running, err := standby.WALReceiver(ctx)
		if err == nil && running && receiver.PID != signalled {
			signalled = receiver.PID
			// One that has ended by itself meanwhile cannot be signalled, and need not be.
			c.beside(standby, "sh", "-c", signalScript, "sh", "TERM", strconv.Itoa(int(signalled)))
		}
		return !running, "it runs", err
	})
}

func visibleOnStandbyFirst(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.commitTable()
	writer := c.committing("on")
	c.nobody()
	commit := writer.commitWaits(1)
	c.eventuallyOn(standby, 1)
	if rows := c.rowOn(primary, 1); rows != 0 {
		c.Errorf("the row of a commit that still waits (%t) is visible on %s", !commit.over(), primary.Name())
	}
	c.named("", "async")
	commit.released()
	if rows := c.rowOn(primary, 1); rows != 1 {
		c.Errorf("the row is not visible on %s after its commit has ended", primary.Name())
	}
}

func pausedReplayBlocks(c *C) {
	standby := c.Pair().Standby()
	modes := []string{"remote_write", "on"}
	c.commitTable()
	var writers []*Session
	for _, mode := range modes {
		writers = append(writers, c.committing(mode))
	}
	applying := c.committing("remote_apply")
	c.synchronous()
	c.pauseReplay()
	c.Eventually("replay is paused on "+standby.Name(), factLimit, func(ctx context.Context) (bool, string, error) {
		state, err := pair.One[string](ctx, standby, replayStateSQL)
		return state == "paused", state, err
	})
	for i, writer := range writers {
		commit := writer.start(commitRowSQL, i)
		if err := commit.wait(commitBound); err != nil {
			c.Errorf("commit with synchronous_commit = %s while replay is paused: %v", modes[i], err)
		}
	}
	last := len(modes)
	commit := applying.commitWaits(last)
	c.stays("the commit with remote_apply waits", frozenLasts, func() (bool, string) { return !commit.over(), "it has ended" })
	for id := range last + 1 {
		if rows := c.rowOn(standby, id); rows != 0 {
			c.Errorf("row %d is visible on %s, whose replay is paused", id, standby.Name())
		}
	}
	c.OnStandby().Do(resumeReplaySQL)
	commit.released()
	if rows := c.rowOn(standby, last); rows != 1 {
		c.Errorf("the row of a commit with remote_apply is not visible on %s once it has ended", standby.Name())
	}
}

func statusIntervalZero(c *C) {
	c.commitTable()
	applying := c.committing("remote_apply")
	for _, standby := range c.Pair().Standbys {
		c.Set(standby, "wal_receiver_status_interval", "0", "0")
	}
	c.synchronous()
	for id := range 3 {
		began := time.Now()
		if err := applying.start(commitRowSQL, id).wait(commitBound); err != nil {
			c.Errorf("commit with remote_apply: %v", err)
		}
		c.Measure(fmt.Sprintf("remote_apply-%d", id), milliseconds(time.Since(began)), "ms")
	}
}
