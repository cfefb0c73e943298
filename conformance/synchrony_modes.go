package conformance

import (
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func synchronyModesChecks() []Check {
	return []Check{
		{
			ID:         "synchrony/acknowledged-is-there",
			Obligation: "When a commit returns, every synchronous standby must have written it with remote_write, flushed it with on, applied it with remote_apply.",
			Level:      Must, Needs: synchronyNeeds(), Source: `PostgreSQL documentation, "Write Ahead Log": synchronous_commit`, Disturbs: true, Limit: faultLimit,
			Run: acknowledgedIsThere,
		},
		{
			ID:         "synchrony/remote-apply-reads-own-writes",
			Obligation: "A row committed with remote_apply must be visible at once on every synchronous standby.",
			Level:      Must, Needs: synchronyNeeds(), Source: `PostgreSQL documentation, "Write Ahead Log": synchronous_commit`, Disturbs: true, Limit: faultLimit,
			Run: remoteApplyReadsOwnWrites,
		},
	}
}

// insertLSNSQL is where the next record goes: a commit that comes later ends beyond it.
const insertLSNSQL = `SELECT pg_current_wal_insert_lsn()::text`

func acknowledgedIsThere(c *C) {
	const rounds = 20
	modes := []struct {
		name string
		at   func(pair.WALSender) pair.LSN
	}{
		{"remote_write", func(s pair.WALSender) pair.LSN { return s.Write }},
		{"on", func(s pair.WALSender) pair.LSN { return s.Flush }},
		{"remote_apply", func(s pair.WALSender) pair.LSN { return s.Replay }},
	}
	c.commitTable()
	var writers []*Session
	for _, mode := range modes {
		writers = append(writers, c.committing(mode.name))
	}
	c.synchronous()
	followers := c.followers()
	for i, mode := range modes {
		short := 0
		for round := range rounds {
			writers[i].Do(beginSQL)
			writers[i].Do(commitRowSQL, i*rounds+round)
			before := Value[pair.LSN](writers[i], insertLSNSQL)
			writers[i].Do(commitSQL)
			for _, standby := range followers {
				if mode.at(c.streamTo(standby).sender) <= before {
					short++
				}
			}
		}
		if short > 0 {
			c.Errorf("%d of %d commits with synchronous_commit = %s returned before the standby had it", short, rounds, mode.name)
		}
	}
}

// remoteApplyReadsOwnWrites also measures how often the other modes read
// stale, and what each mode costs a commit.
func remoteApplyReadsOwnWrites(c *C) {
	const reads = 100
	modes := []string{"local", "remote_write", "on", "remote_apply"}
	c.commitTable()
	writers := map[string]*Session{}
	for _, mode := range modes {
		writers[mode] = c.committing(mode)
	}
	c.synchronous()
	followers := c.followers()
	id := 0
	for _, mode := range modes {
		stale := 0
		var took []time.Duration
		for range reads {
			began := time.Now()
			writers[mode].Do(commitRowSQL, id)
			took = append(took, time.Since(began))
			for _, standby := range followers {
				if c.rowOn(standby, id) == 0 {
					stale++
				}
			}
			id++
		}
		slices.Sort(took)
		c.Measure(mode+"-stale", 100*float64(stale)/float64(reads*len(followers)), "%")
		c.Measure(mode+"-commit-p50", milliseconds(quantile(took, 50)), "ms")
		c.Measure(mode+"-commit-p99", milliseconds(quantile(took, 99)), "ms")
		if mode == "remote_apply" && stale > 0 {
			c.Errorf("%d of %d rows committed with remote_apply were not visible on the standby at once", stale, reads)
		}
	}
	// All rows are there in the end: that a read was stale was no loss.
	c.Replay()
	for _, node := range c.Pair().Nodes() {
		if rows := Value[int64](c.on(node), commitTotalSQL); rows != int64(id) {
			c.Errorf("%s has %d of %d rows in the end", node.Name(), rows, id)
		}
	}
}
