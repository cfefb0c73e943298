package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func restartPrimaryChecks() []Check {
	return []Check{
		{
			ID:         "restart/primary-comes-back",
			Obligation: "A restart of the primary must not interrupt reads on the standby, and must be over without crash recovery and without loss.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Hot Standby", "Shutting Down the Server"`,
			Run:    primaryComesBack,
		},
		{
			ID:         "restart/slot-survives",
			Obligation: "Replication slots must survive a restart of the primary: the standby's is used again, and one that was advanced stands where it stood.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots", "Replication Management Functions"`,
			Run:    slotSurvives,
		},
		{
			ID:         "restart/address-changes",
			Obligation: "A standby must find a primary that comes back under another address.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: "compose specification: networks; PostgreSQL documentation, \"primary_conninfo\"",
			Run:    addressChanges,
		},
	}
}

// ledgerEndSQL counts nothing: the highest id is at hand in the index.
const ledgerEndSQL = `SELECT ARRAY[COALESCE(max(id), 0)] FROM %s`

// readBound is how long a reader may wait, on a busy machine, whom nothing keeps
// waiting: one that hangs while the primary is away waits longer.
const readBound = 10 * time.Second

// readLedger reads a ledger on the standby at a gentle pace, until the reader
// is stopped, and wants it never to go backwards.
func (c *C) readLedger(ledger *Ledger) *reader {
	pace := time.NewTicker(ledgerPace)
	last, before, longest := int64(0), time.Now(), time.Duration(0)
	reader := c.startReader(fmt.Sprintf(ledgerEndSQL, ledger.table), func(row []int64) string {
		now := time.Now()
		longest, before = max(longest, now.Sub(before)), now
		<-pace.C
		if row[0] < last {
			return fmt.Sprintf("the ledger ended at %d before", last)
		}
		last = row[0]
		return ""
	})
	reader.atEnd = func() {
		pace.Stop()
		c.Measure("longest-gap-between-reads", milliseconds(longest), "ms")
		if longest > readBound {
			c.Errorf("a reader on %s waited %s between two answers: reads were interrupted", reader.session.node.Name(), longest.Round(time.Millisecond))
		}
	}
	return reader
}

func primaryComesBack(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(primary)
	began, timeline, slot := c.serverBegan(primary), c.timeline(), c.slotOf(standby)
	standbyBegan := c.serverBegan(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.Replay()
	reader := c.readLedger(ledger)
	defer reader.stop()
	reader.more(c, 1)

	log := c.logFromNow(primary)
	c.Harness(c.Operator().Restart(c.ctx, primary.Name()))
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	ledger.WaitAcknowledged(1)
	if c.serverBegan(primary).Equal(began) {
		c.Fatalf("%s was restarted, yet it is the same server process as before", primary.Name())
	}
	log.mustStartCleanly()
	reader.verdict(c)
	if now := c.serverBegan(standby); !now.Equal(standbyBegan) {
		c.Errorf("%s began at %s, it was started again by a restart of the primary", standby.Name(), now.UTC().Format(time.RFC3339Nano))
	}
	c.mustKeepTimelineAndSlot(timeline, slot)
	ledger.settle(c.Pair().Nodes()...)
	c.Measure("longest-gap-between-commits", milliseconds(ledger.LongestGap()), "ms")
}

const serverBeganSQL = `SELECT pg_postmaster_start_time()`

// serverBegan is when a node's server process was started. A crash of one of
// its processes does not change it.
func (c *C) serverBegan(node *pair.Node) time.Time { return ask[time.Time](c, node, serverBeganSQL) }

const writtenTimelineSQL = `SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)`

// timeline is the one that the primary writes on, in hexadecimal digits.
func (c *C) timeline() string { return ask[string](c, c.Pair().Primary, writtenTimelineSQL) }

// mustKeepTimelineAndSlot fails the check when a fault has changed what only
// a promotion or a new clone may change.
func (c *C) mustKeepTimelineAndSlot(timeline string, slot pair.Slot) {
	if now := c.timeline(); now != timeline {
		c.Errorf("%s writes on timeline %s, it was %s", c.Pair().Primary.Name(), now, timeline)
	}
	c.mustKeepSlot(slot)
}

func (c *C) mustKeepSlot(slot pair.Slot) {
	upstream := c.streamTo(c.Pair().Standby()).upstream
	if now := c.slotNamed(upstream, slot.Name); now.Type != slot.Type || now.Temporary || now.Restart < slot.Restart {
		c.Errorf("slot %q is %s at %s (temporary %t), it was %s at %s",
			slot.Name, now.Type, now.Restart, now.Temporary, slot.Type, slot.Restart)
	}
}

func slotSurvives(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	idle, advanced := c.newSlot(primary, true), c.newSlot(primary, true)
	lsn := c.write()
	c.Replay()
	ask[pair.LSN](c, primary, advanceSlotSQL, advanced, lsn.String())
	used := c.slotOf(standby)
	before := []pair.Slot{c.slotNamed(primary, idle), c.slotNamed(primary, advanced)}
	if before[0].Restart == before[1].Restart {
		c.Fatalf("slot that was advanced stands where the other one does, at %s", before[0].Restart)
	}
	c.Harness(c.Operator().Restart(c.ctx, primary.Name()))
	c.StreamsAgain(standby)
	for _, slot := range before {
		if now := c.slotNamed(primary, slot.Name); now.Restart != slot.Restart || now.Active {
			c.Errorf("slot %q stands at %s after the restart (active %t), it stood at %s", slot.Name, now.Restart, now.Active, slot.Restart)
		}
	}
	c.mustKeepSlot(used)
	if now := c.slotOf(standby); now.Name != used.Name || !now.Active {
		c.Errorf("%s streams through slot %q (active %t) after the restart, it was %q", standby.Name(), now.Name, now.Active, used.Name)
	}
}

func addressChanges(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	before := c.inspect(primary).Addresses
	if len(before) == 0 {
		c.Fatalf("the operator tells no address of %s", primary.Name())
	}
	elsewhere := c.Inject(Readdressed, primary, c.Operator().Readdress, c.Operator().Start)
	after := c.inspect(primary).Addresses
	if slices.ContainsFunc(after, func(address string) bool { return slices.Contains(before, address) }) {
		c.Skipf("%s came back at %v, it was at %v: nothing can be learnt", primary.Name(), after, before)
	}
	elsewhere.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	ledger.WaitAcknowledged(1)
	ledger.settle(c.Pair().Nodes()...)
}
