package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func partitionLink() []Check {
	return []Check{
		{
			ID:         "partition/short-is-bridged",
			Obligation: "A partition shorter than the timeouts of both ends must not even end the stream: what was under way arrives, through the same processes.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication": wal_sender_timeout, wal_receiver_timeout`,
			Run:    shortIsBridged,
		},
		{
			ID:         "partition/slow-network",
			Obligation: "A slow network to the standby must not slow the primary's commits: the standby falls behind, and catches up when the network is well again.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers": streaming replication is asynchronous by default`,
			Run:    slowNetwork,
		},
	}
}

// bothProcesses are the WAL receiver and the WAL sender of a stream.
func (c *C) bothProcesses(standby *pair.Node) [2]int32 {
	stream := c.streamTo(standby)
	return [2]int32{stream.receiver.PID, stream.sender.PID}
}

func shortIsBridged(c *C) {
	const patience, quiet = 30 * time.Second, time.Second
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.Set(primary, "wal_sender_timeout", patience.String(), patience.String())
	c.Set(standby, "wal_receiver_timeout", patience.String(), patience.String())
	link := c.StreamOverLink(standby)
	slot := c.slotOf(standby).Name
	before := c.bothProcesses(standby)
	lag := c.watchLag(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	cut := c.CutLink(link, standby)
	ledger.WaitAcknowledged(1)
	unseen := c.currentLSN()
	c.awaitStaleness("both ends hear nothing", standby, slot, func(s staleness) bool { return s.message > quiet && s.reply > quiet })
	if seen, err := standby.ReplayedLSN(c.ctx); err != nil || seen >= unseen {
		c.Fatalf("%s has replayed %s although %s was written after the cut (%v): it is not cut off", standby.Name(), seen, unseen, err)
	}
	cut.Heal()
	ledger.Stop()
	c.Replay()
	lag.Stop()
	if after := c.bothProcesses(standby); after != before {
		c.Errorf("WAL receiver and WAL sender were %v and are %v: the stream broke, though both ends bear %s of silence", before, after, patience)
	}
	ledger.MustHoldAll(standby)
}

func slowNetwork(c *C) {
	const (
		delay  = 100 * time.Millisecond
		rate   = 256 << 10 // bytes per second
		load   = 6 << 20   // bytes: 24 s at that rate
		behind = 2 << 20   // more than all buffers of a network that is not slow hide
		rows   = 50
	)
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	link := c.StreamOverLink(standby)
	lag := c.watchLag(standby)
	ledger := c.KeepCommitting(primary)
	ledger.WaitAcknowledged(rows)
	c.Replay()
	began := c.Elapsed()
	slow := c.Slow(link, standby, delay, rate)
	written := c.emitWAL(primary, load)
	ledger.WaitAcknowledged(rows)
	c.Eventually(fmt.Sprintf("%s falls behind by %d bytes", standby.Name(), behind), ackLimit, func(ctx context.Context) (bool, string, error) {
		seen, err := standby.ReplayedLSN(ctx)
		return err == nil && seen+behind < written, fmt.Sprintf("it stands at %s, %s was written", seen, written), err
	})
	c.Measure("under-the-fault", milliseconds(c.Elapsed()-began), "ms")
	slow.Heal()
	healed := c.Elapsed()
	c.Replay()
	c.Measure("drained-after", milliseconds(c.Elapsed()-healed), "ms")
	ledger.Stop()
	lag.Stop()
	c.Measure("greatest-lag", lag.Max(), "bytes")
	c.mustCommitSwiftly(ledger)
	c.Replay()
	ledger.MustHoldAll(standby)
}
