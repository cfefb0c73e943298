package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func partitionCut() []Check {
	return []Check{
		{
			ID:         "partition/commits-go-on",
			Obligation: "While a standby is cut off, the primary must go on committing and the standby must go on serving reads, as old as they are.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers": streaming replication is asynchronous by default`,
			Run:    commitsGoOn,
		},
		{
			ID:         "partition/tells-how-stale",
			Obligation: "While a standby is cut off, both ends must show it, and the distance between them must show how old its data are.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_stat_wal_receiver", "pg_stat_replication", "pg_replication_slots"`,
			Run:    tellsHowStale,
		},
		{
			ID:         "partition/heals",
			Obligation: "After a partition that outlasted the timeouts of both ends, the standby must stream again without a restart, catch up from its slot and lack no acknowledged row.",
			Level:      Must, Needs: partitionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots"; wal_sender_timeout, wal_receiver_timeout`,
			Run:    partitionHeals,
		},
	}
}

// receivedAndReplayedSQL tells whether a standby has replayed all it has.
const receivedAndReplayedSQL = `SELECT pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn()`

const countLedgerSQL = `SELECT count(*) FROM %s`

func commitsGoOn(c *C) {
	const rows = 100
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.shortenTimeouts(standby)
	ledger := c.KeepCommitting(primary)
	ledger.WaitAcknowledged(rows)
	c.Replay()
	cut := c.Isolate(standby)
	c.Eventually("the standby has replayed what it has", ackLimit, func(ctx context.Context) (bool, string, error) {
		all, err := pair.One[bool](ctx, standby, receivedAndReplayedSQL)
		return all, "not yet", err
	})
	count := fmt.Sprintf(countLedgerSQL, ledger.table)
	old := ask[int64](c, standby, count)
	ledger.WaitAcknowledged(rows)
	if seen := ask[int64](c, standby, count); seen != old {
		c.Fatalf("%s shows %d rows, then %d: it is not cut off, which proves nothing", standby.Name(), old, seen)
	}
	if old == 0 {
		c.Fatalf("%s shows no row at all: that it serves reads proves nothing", standby.Name())
	}
	cut.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	c.mustCommitSwiftly(ledger)
	c.Replay()
	ledger.MustHoldAll(standby)
}

// staleness is what both ends tell while they hear nothing from each other.
type staleness struct {
	receiving bool          // the standby has a WAL receiver
	message   time.Duration // since the standby has heard something
	sending   bool          // the primary has a WAL sender for it
	reply     time.Duration // since the primary has got an answer that was sent then
	behind    pair.LSN      // between the primary's position and the slot's
	active    bool          // the slot is in use
}

func (s staleness) String() string {
	return fmt.Sprintf("standby: WAL receiver %t, last message %s ago; primary: WAL sender %t, last reply %s ago, slot active %t and %d bytes behind",
		s.receiving, s.message.Round(time.Millisecond), s.sending, s.reply.Round(time.Millisecond), s.active, s.behind)
}

const (
	messageAgeSQL = `SELECT clock_timestamp() - last_msg_receipt_time FROM pg_stat_wal_receiver WHERE last_msg_receipt_time IS NOT NULL`
	replyAgeSQL   = `
SELECT clock_timestamp() - sender.reply_time
  FROM pg_stat_replication AS sender JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid
 WHERE slot.slot_name = $1 AND sender.reply_time IS NOT NULL`
)

// askStaleness looks at both ends of a stream through a slot.
func (c *C) askStaleness(ctx context.Context, standby *pair.Node, slot string) (seen staleness, err error) {
	primary := c.Pair().Primary
	messages, err := pair.Column[time.Duration](ctx, standby, messageAgeSQL)
	if err != nil {
		return seen, err
	}
	for _, age := range messages {
		seen.receiving, seen.message = true, age
	}
	replies, err := pair.Column[time.Duration](ctx, primary, replyAgeSQL, slot)
	if err != nil {
		return seen, err
	}
	for _, age := range replies {
		seen.sending, seen.reply = true, age
	}
	slots, err := primary.Slots(ctx)
	if err != nil {
		return seen, err
	}
	written, err := primary.CurrentLSN(ctx)
	for _, one := range slots {
		if one.Name == slot {
			seen.active, seen.behind = one.Active, written-min(one.Restart, written)
		}
	}
	return seen, err
}

// awaitStaleness polls both ends until they tell what is wanted.
func (c *C) awaitStaleness(fact string, standby *pair.Node, slot string, wanted func(staleness) bool) (seen staleness) {
	const within = 30 * time.Second
	c.Eventually(fact, within, func(ctx context.Context) (ok bool, text string, err error) {
		seen, err = c.askStaleness(ctx, standby, slot)
		return err == nil && wanted(seen), seen.String(), err
	})
	return seen
}

func tellsHowStale(c *C) {
	const old, much = time.Second, 1 << 20
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	slot := c.slotOf(standby).Name
	c.shortenTimeouts(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.awaitStaleness("messages and replies are fresh while the primary writes", standby, slot, func(s staleness) bool {
		return s.receiving && s.sending && s.message < old && s.reply < old
	})
	cut := c.Isolate(standby)
	seen := c.awaitStaleness("both ends still stand and their last word is old", standby, slot, func(s staleness) bool {
		return s.receiving && s.message > old && s.sending && s.reply > old
	})
	c.Logf("cut off: %s", seen)
	c.emitWAL(primary, much)
	seen = c.awaitStaleness("both ends give up, and the slot shows the distance", standby, slot, func(s staleness) bool {
		return !s.receiving && !s.sending && !s.active && s.behind >= much
	})
	c.Logf("given up: %s", seen)
	cut.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	c.Replay()
	c.awaitStaleness("after healing the slot is in use and close", standby, slot, func(s staleness) bool {
		return s.receiving && s.sending && s.active && s.behind < much
	})
}

func partitionHeals(c *C) {
	const rows = 100
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	slot := c.slotOf(standby).Name
	c.shortenTimeouts(standby)
	started, container := c.serverBegan(standby), c.inspect(standby).Started
	lag := c.watchLag(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(rows)
	cut := c.Isolate(standby)
	c.awaitStaleness("both ends give up", standby, slot, func(s staleness) bool { return !s.receiving && !s.sending && !s.active })
	held := c.slotNamed(primary, slot).Restart
	ledger.WaitAcknowledged(rows)
	if now := c.slotNamed(primary, slot).Restart; now != held {
		c.Errorf("slot %q moved from %s to %s though its standby is cut off", slot, held, now)
	}
	cut.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	ledger.Stop()
	c.Replay()
	lag.Stop()
	c.Measure("greatest-lag", lag.Max(), "bytes")
	if lag.Max() == 0 {
		c.Errorf("no lag was seen while the standby was cut off: the curve proves nothing")
	}
	c.mustNotHaveRestarted(standby, started)
	if now := c.inspect(standby).Started; !now.Equal(container) {
		c.Errorf("container of %s was started at %s and again at %s", standby.Name(), container, now)
	}
	c.mustCommitSwiftly(ledger)
	ledger.MustHoldAll(standby)
}

// emitWALSQL writes WAL that changes no row; $1 is its size in bytes. It waits
// for its own disk and for no standby.
const emitWALSQL = `
SELECT pg_logical_emit_message(true, 'conformance', repeat('x', $1))::text
  FROM set_config('synchronous_commit', 'local', true)`

// emitWAL has a primary write so many bytes of WAL, and gives a position that
// covers them.
func (c *C) emitWAL(primary *pair.Node, bytes int) pair.LSN {
	const piece = 1 << 20
	for left := bytes; left > 0; left -= piece {
		ask[pair.LSN](c, primary, emitWALSQL, min(left, piece))
	}
	return c.currentLSN()
}
