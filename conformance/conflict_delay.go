package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"
)

func conflictDelayChecks() []Check {
	return []Check{
		{
			ID:         "conflict/delay-is-a-limit",
			Obligation: "Replay must not wait for readers much longer than max_standby_streaming_delay.",
			Level:      Must, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: delayIsLimit,
		},
		{
			ID:         "conflict/unlimited-delay-blocks-replay",
			Obligation: "With max_standby_streaming_delay = -1 replay should wait until the reader ends, and then go on.",
			Level:      Should, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: unlimitedDelayBlocks,
		},
		{
			ID:         "conflict/waits-are-logged",
			Obligation: "With log_recovery_conflict_waits a standby should log for whom replay has waited longer than deadlock_timeout, and when the wait was over.",
			Level:      Should, Needs: Needs{Operator: true, Superuser: true, Exclusive: true, Since: 14},
			Source: `PostgreSQL documentation, "Error Reporting and Logging": log_recovery_conflict_waits`, Disturbs: true, Limit: faultLimit, Run: waitsAreLogged,
		},
	}
}

// delayIsLimit asserts no lower bound: the delay counts from the arrival of
// the WAL, which may be older than the conflict.
func delayIsLimit(c *C) {
	const delay, bound = time.Second, 15 * time.Second // half of the default delay
	c.Schema()
	c.quiet()
	c.withoutFeedback()
	c.Set(c.Pair().Standby(), delayName, "1s", "1s")
	transaction := c.snapshotReaders()
	reader := c.idleVictim(transaction)
	c.OnPrimary().Do(readDeleteSQL)
	began := time.Now()
	c.vacuumUntil(func() bool { return reader.end.over() || c.replayIsBlocked() })
	c.Replay()
	took := time.Since(began)
	reader.struck("FATAL", serialization, rowVersionsDetail)
	c.Measure("vacuum-to-replayed", milliseconds(took), "ms")
	if took > bound {
		c.Errorf("replay took %s, with a max_standby_streaming_delay of %s it must not take longer than %s", took, delay, bound)
	}
}

// replayIsBlocked says whether replay waits for a reader's snapshot.
func (c *C) replayIsBlocked() bool {
	return askRow[backendState](c, c.Pair().Standby(), startupStateSQL).WaitEvent == "RecoveryConflictSnapshot"
}

func unlimitedDelayBlocks(c *C) {
	const lasts = 5 * 100 * time.Millisecond // many times the delay of the other checks
	c.Schema()
	c.quiet()
	c.withoutFeedback()
	c.patient()
	standby := c.Pair().Standby()
	transaction := c.snapshotReaders()
	reader := c.reader(transaction)
	c.OnPrimary().Do(readDeleteSQL)
	c.vacuumUntil(c.replayIsBlocked)
	behind := c.write()
	c.stays("replay waits for the reader", lasts, func() (bool, string) {
		replayed, err := standby.ReplayedLSN(c.ctx)
		if err != nil {
			return false, err.Error()
		}
		state := c.backend(standby, reader.PgConn().PID())
		return state.State == "idle in transaction" && replayed < behind, fmt.Sprintf("reader %+v, replayed %s of %s", state, replayed, behind)
	})
	if rows := Value[int64](reader, readCountSQL); rows != 20 {
		c.Errorf("the reader that replay waits for sees %d rows, its snapshot has 20", rows)
	}
	reader.Do(commitSQL)
	ended := time.Now()
	if err := standby.WaitReplayed(c.ctx, behind); err != nil {
		c.Fatalf("the reader has ended: %v", err)
	}
	c.Measure("reader-end-to-replayed", milliseconds(time.Since(ended)), "ms")
}

// conflictLogged picks what a log says of waits for a process: that replay
// was still waiting, and that it has finished.
func conflictLogged(log string, pid uint32) (waiting, finished bool) {
	lines := strings.Split(log, "\n")
	for i, line := range lines {
		switch {
		case strings.Contains(line, "recovery still waiting after") && strings.Contains(line, "recovery conflict on snapshot"):
			waiting = waiting || i+1 < len(lines) && strings.Contains(lines[i+1], fmt.Sprintf("Conflicting process: %d.", pid))
		case strings.Contains(line, "recovery finished waiting after") && strings.Contains(line, "recovery conflict on snapshot"):
			finished = finished || waiting
		}
	}
	return waiting, finished
}

func waitsAreLogged(c *C) {
	standby := c.Pair().Standby()
	c.Schema()
	c.quiet()
	c.withoutFeedback()
	c.Set(standby, "log_recovery_conflict_waits", "on", "on")
	c.Set(standby, "deadlock_timeout", shortDelay, shortDelay)
	c.Set(standby, delayName, "1s", "1s")
	transaction := c.snapshotReaders()
	reader := c.idleVictim(transaction)
	pid := reader.PgConn().PID()
	c.OnPrimary().Do(readDeleteSQL)
	c.vacuumUntil(reader.end.over)
	reader.struck("FATAL", serialization, rowVersionsDetail)
	c.Eventually(fmt.Sprintf("%s logs the wait for process %d", standby.Name(), pid), factLimit, func(ctx context.Context) (bool, string, error) {
		log, err := c.Operator().Logs(ctx, standby.Name(), time.Time{})
		waiting, finished := conflictLogged(log, pid)
		return waiting && finished, fmt.Sprintf("still waiting: %t, finished waiting: %t", waiting, finished), err
	})
}
