package conformance

import (
	"context"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// historyChecks is the chapter "history": what clients saw while servers broke
// in a random order fits the promises of a primary and its standby.
func historyChecks() []Check {
	const obligation = "every acknowledged transaction must be kept and no refused one, the primary's registers must be linearizable, " +
		"and each snapshot of the standby must be a prefix of the primary's commits that never goes back within a session."
	needs := Needs{Operator: true, Superuser: true, Exclusive: true}
	return []Check{
		{
			ID:         "history/without-standby-restarts",
			Obligation: "While the primary is stopped, killed, frozen and cut off, and the standby is frozen, cut off and crashes in place, " + obligation,
			Level:      Must, Needs: needs, Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Reliability and the Write-Ahead Log", "Hot Standby: User's Overview"; Jepsen: linearizability, monotonic reads`,
			Run: func(c *C) {
				c.runHistory(
					act{Fault: Stopped}, act{Fault: Killed}, act{Fault: Paused}, act{Fault: Isolated}, act{Fault: crashed},
					act{Fault: Paused, Standby: true}, act{Fault: Isolated, Standby: true}, act{Fault: crashed, Standby: true},
				)
			},
		},
		{
			ID:         "history/with-standby-restarts",
			Obligation: "While primary and standby are stopped, killed, frozen and cut off, " + obligation,
			Level:      Must, Needs: needs, Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Reliability and the Write-Ahead Log", "Hot Standby: User's Overview"; Jepsen: linearizability, monotonic reads`,
			Run: func(c *C) {
				c.runHistory(
					act{Fault: Stopped}, act{Fault: Killed}, act{Fault: Paused}, act{Fault: Isolated},
					act{Fault: Stopped, Standby: true}, act{Fault: Killed, Standby: true}, act{Fault: Paused, Standby: true}, act{Fault: Isolated, Standby: true},
				)
			},
		},
	}
}

const (
	// linkPatience is after how long of silence the servers give up a
	// connection between them, so that a cut is noticed.
	linkPatience = "2s"
	linkRetry    = "200ms"
	// orderLimit bounds the search for an order of register uses.
	orderLimit = 20 * time.Second

	clientsLeftSQL = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`
	finalOrderSQL  = `SELECT id FROM %s.book ORDER BY position`
	finalPagesSQL  = `SELECT id FROM %s.pages ORDER BY id`
)

// runHistory breaks the servers in a random order while clients work, heals
// each fault, and judges what the clients saw.
func (c *C) runHistory(acts ...act) {
	const between = 10
	c.skipWhereSynchronous()
	seed, err := historySeed()
	c.Harness(err)
	plan := planned(randomFor(seed, 0), acts)
	c.Measure("seed", float64(seed), "")
	c.Logf("%s=%d gives the same faults again: %v", seedVariable, seed, plan)

	c.Set(c.Pair().Primary, "wal_sender_timeout", linkPatience, linkPatience)
	c.Set(c.Pair().Standby(), "wal_receiver_timeout", linkPatience, linkPatience)
	c.Set(c.Pair().Standby(), "wal_retrieve_retry_interval", linkRetry, linkRetry)
	clients := c.record(seed)
	clients.waitAcknowledged(between)
	for _, one := range plan {
		c.perform(clients, one)
		c.StreamsAgain(c.Pair().Standby())
		clients.waitAcknowledged(between)
	}
	c.judgeHistory(clients)
}

// perform brings about one fault, makes sure that it is in force, and heals it.
func (c *C) perform(clients *recorder, one act) {
	node := c.Pair().Primary
	if one.Standby {
		node = c.Pair().Standby()
	}
	switch one.Fault {
	case crashed:
		c.crashServer(node)
	case Isolated:
		c.cutWhileWriting(clients, node, one.Hold)
	default:
		inject := map[Fault]func(*pair.Node) *Injection{Stopped: c.Stop, Killed: c.Kill, Paused: c.Pause}[one.Fault]
		injected := inject(node)
		from := c.Elapsed()
		c.hold(one.Hold)
		to := c.Elapsed()
		injected.Heal()
		if clients.answeredWithin(node, from, to) {
			c.Fatalf("%s answers during %q: the fault has no effect", node.Name(), one)
		}
	}
}

// hold lets a fault be in force for a time.
func (c *C) hold(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	}
}

// cutWhileWriting cuts the servers off from one another. Clients reach both:
// the primary goes on, the standby must not receive it.
func (c *C) cutWhileWriting(clients *recorder, node *pair.Node, hold time.Duration) {
	const written = 3
	standby := c.Pair().Standby()
	injected := c.Isolate(node)
	node.Close() // connections by way of the network that was cut are dead, and do not say so
	clients.waitAcknowledged(written)
	lsn := c.currentLSN()
	c.hold(hold)
	if received := ask[pair.LSN](c, standby, receivedUpToSQL); received >= lsn {
		c.Fatalf("%s has received %s, written up to %s while it was cut off: the fault has no effect", standby.Name(), received, lsn)
	}
	injected.Heal()
	node.Close()
}

// crashServer kills a server process: on the primary a session's, on a
// standby the WAL receiver. The server ends all sessions and recovers.
func (c *C) crashServer(node *pair.Node) {
	bystander, err := node.Connect(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(bystander)
	from := c.Elapsed()
	c.signal(node, "KILL", c.victimOn(node))
	c.Eventually("the crash ends every session of "+node.Name(), promotionBound, func(ctx context.Context) (bool, string, error) {
		return bystander.Ping(ctx) != nil, "a session goes on", nil
	})
	node.Close()
	c.addWindow(Window{Fault: crashed, Node: node.Name(), From: from, To: c.Elapsed()})
}

func (c *C) victimOn(node *pair.Node) (pid int32) {
	if node != c.Pair().Primary {
		c.Eventually(node.Name()+" has a WAL receiver", promotionBound, func(ctx context.Context) (bool, string, error) {
			receiver, ok, err := node.WALReceiver(ctx)
			pid = receiver.PID
			return ok, "none", err
		})
		return pid
	}
	victim, err := node.Connect(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(victim)
	if err := victim.QueryRow(c.ctx, backendSQL).Scan(&pid); err != nil {
		c.Fatalf("%v", err)
	}
	return pid
}
