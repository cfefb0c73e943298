package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// crashSessionChecks ends single processes by their own rules: nothing else
// of the server takes notice.
func crashSessionChecks() []Check {
	const source = `PostgreSQL documentation, "Server Signaling Functions", "Streaming Replication"`
	return []Check{
		{
			ID:         "crash/sender-terminated",
			Obligation: "After pg_terminate_backend of the WAL sender the standby must stream again, through its slot, without a restart of either server.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source, Run: senderTerminated,
		},
		{
			ID:         "crash/receiver-terminated",
			Obligation: "After a SIGTERM of the WAL receiver the standby must stream again, through its slot, without a restart of either server.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source, Run: receiverTerminated,
		},
	}
}

func senderTerminated(c *C) {
	c.streamBreaks(func(now stream) {
		if !ask[bool](c, c.Pair().Primary, terminateSQL, now.sender.PID) {
			c.Fatalf("pg_terminate_backend(%d) of the WAL sender gives false", now.sender.PID)
		}
	})
}

// On 15 pg_terminate_backend takes a WAL receiver for no backend.
func receiverTerminated(c *C) {
	c.streamBreaks(func(now stream) { c.signal(c.Pair().Standby(), "TERM", now.receiver.PID) })
}

// streamBreaks ends one side of the stream and waits for the next one.
func (c *C) streamBreaks(act func(now stream)) {
	c.needsLog(c.Pair().Nodes()...)
	standby := c.Pair().Standby()
	before, timeline, slot := c.streamTo(standby), c.timeline(), c.slotOf(standby)
	logs := map[*pair.Node]newLog{}
	for _, node := range c.Pair().Nodes() {
		logs[node] = c.logFromNow(node)
	}
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	broken := time.Now()
	act(before)
	c.Eventually("the WAL sender and the WAL receiver are others than before", returnLimit, func(ctx context.Context) (bool, string, error) {
		receiver, _, err := standby.WALReceiver(ctx)
		if err != nil {
			return false, "", err
		}
		senders, err := c.Pair().Primary.WALSenders(ctx)
		sender := pair.FindStandby(senders, receiver)
		fresh := sender != nil && sender.PID != before.sender.PID && receiver.PID != before.receiver.PID
		return fresh, fmt.Sprintf("WAL receiver %d (%s), %s", receiver.PID, receiver.Status, describeSenders(senders)), err
	})
	c.StreamsAgain(standby)
	c.Measure("streams-again", milliseconds(time.Since(broken)), "ms")
	for _, node := range c.Pair().Nodes() {
		logs[node].mustLack("took it for a crash", "reinitializing")
	}
	c.mustKeepTimelineAndSlot(timeline, slot)
	if uncertain := ledger.Count(Unknown) + ledger.Count(Refused); uncertain > 0 {
		c.Errorf("%d writes were not acknowledged, though only the stream was broken", uncertain)
	}
	ledger.settle(c.Pair().Nodes()...)
}
