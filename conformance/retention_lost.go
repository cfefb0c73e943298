package conformance

import (
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func retentionLost() []Check {
	return []Check{
		{
			ID:         "retention/lost-is-reported",
			Obligation: "A standby whose slot is lost should not count as healthy: it answers, and will never catch up.",
			Level:      Should, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `compose specification: healthcheck; PostgreSQL documentation, "pg_replication_slots": wal_status`,
			Run:    lostIsReported,
		},
		{
			ID:         "retention/lost-needs-clone",
			Obligation: "A standby whose WAL was removed must say so in its log and go on serving reads; a new slot and a new base backup must make it stream again.",
			Level:      Must, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots": max_slot_wal_keep_size; "Log-Shipping Standby Servers"`,
			Run:    lostNeedsClone,
		},
	}
}

// lose has the slot of a standby lost while the standby is away, and lets the
// standby return.
func (w *wal) lose(standby *pair.Node) {
	away := w.sendAway(standby)
	w.write(narrowSegments + slackSegments)
	w.keepOthers(standby)
	w.limit(narrowSegments)
	w.giveUp()
	away.Heal()
}

// keepOthers waits for the other standbys: what they lack would be lost to them too.
func (w *wal) keepOthers(away *pair.Node) {
	lsn := w.c.currentLSN()
	for _, standby := range w.c.Pair().Standbys {
		if standby == away {
			continue
		}
		if err := standby.WaitReplayed(w.c.ctx, lsn); err != nil {
			w.c.Fatalf("%v", err)
		}
	}
}

func lostIsReported(c *C) {
	standby := c.Pair().Standby()
	if c.inspect(standby).Health == "" {
		c.Fatalf("%s has no health check: nobody is told when its slot is lost", standby.Name())
	}
	c.turnsHealth("healthy", standby)
	w := c.keepLittleWAL()
	w.lose(standby)
	c.Measure("reported-after", milliseconds(c.turnsHealth("unhealthy", standby)), "ms")
	c.CloneAgain(standby, w.slot)
	c.turnsHealth("healthy", standby)
}

// removedTexts are what a standby logs when the WAL that it asks for is gone.
//
// Source: PostgreSQL source, walsender.c, xlogreader.c, slot.c.
var removedTexts = [...]string{ //nolint:gochecknoglobals // a constant list
	"has already been removed",              // until 17
	"can no longer access replication slot", // since 18
	"can no longer get changes from replication slot",
}

func lostNeedsClone(c *C) {
	const times = 2
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(standby)
	w := c.keepLittleWAL()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.Replay()
	log := c.logFromNow(standby)
	w.lose(standby)
	log.reads(standby.Name()+" logs that the WAL it needs is gone, more than once", func(text string) bool {
		count := 0
		for _, removed := range removedTexts {
			count += linesWith(text, removed)
		}
		return count >= times
	})
	if rows := ask[int64](c, standby, fmt.Sprintf(countLedgerSQL, ledger.table)); rows == 0 {
		c.Errorf("%s shows no row of what it had replayed before its slot was lost", standby.Name())
	}
	ledger.WaitAcknowledged(1)
	c.Measure("cloned-and-streams", milliseconds(c.CloneAgain(standby, w.slot)), "ms")
	ledger.Stop()
	c.Replay()
	ledger.MustHoldAll(standby)
}
