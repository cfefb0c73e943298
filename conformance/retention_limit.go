package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func retentionLimit() []Check {
	return []Check{
		{
			ID:         "retention/limit-states",
			Obligation: "A slot under max_slot_wal_keep_size must go through reserved, extended, unreserved and lost, with safe_wal_size counting down; when it is lost the log says so and the WAL is removed.",
			Level:      Must, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_replication_slots": wal_status, safe_wal_size; max_slot_wal_keep_size`,
			Run:    limitStates,
		},
		{
			ID:         "retention/keep-size-overrides",
			Obligation: "WAL that wal_keep_size asks for must stay although a slot's limit is smaller, and a standby that needs it must catch up.",
			Level:      Must, Needs: retentionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Sending Servers": wal_keep_size, max_slot_wal_keep_size`,
			Run:    keepSizeOverrides,
		},
	}
}

const (
	// wideSegments is a limit that no check exceeds.
	wideSegments = 16
	// narrowSegments is one that each check exceeds.
	narrowSegments = 1
)

// limit bounds what slots may hold back.
func (w *wal) limit(segments int) {
	w.c.Set(w.primary, "max_slot_wal_keep_size", w.segments(segments), w.segments(segments))
}

func limitStates(c *C) {
	standby := c.Pair().Standby()
	w := c.keepLittleWAL()
	c.needsLog(w.primary)
	w.limit(wideSegments)
	curve, log := w.watch(), c.logFromNow(w.primary)
	away := w.sendAway(standby)
	reserved := w.mustBe("reserved", "little was written since the standby went away")
	w.write(writtenSegments)
	// None is under way after this one: the next state can be looked at in peace.
	w.checkpoint()
	extended := w.mustBe("extended", "more than max_wal_size was written, less than the limit")
	if reserved.SafeWALSize == nil || extended.SafeWALSize == nil || *extended.SafeWALSize <= 0 || *extended.SafeWALSize >= *reserved.SafeWALSize {
		c.Errorf("safe_wal_size went from %s (reserved) to %s (extended), must count down and stay positive",
			optional(reserved.SafeWALSize), optional(extended.SafeWALSize))
	}
	w.mustKeep()

	w.limit(narrowSegments)
	unreserved := w.mustBe("unreserved", "the limit is less than what the slot holds back")
	if unreserved.SafeWALSize == nil || *unreserved.SafeWALSize > 0 {
		c.Errorf("safe_wal_size is %s beyond the limit, must not be positive", optional(unreserved.SafeWALSize))
	}

	lost := w.giveUp()
	if lost.SafeWALSize != nil {
		c.Errorf("safe_wal_size of a lost slot is %d, must be NULL", *lost.SafeWALSize)
	}
	log.reads(fmt.Sprintf("%s logs that it invalidates slot %q", w.primary.Name(), w.slot), func(text string) bool {
		return linesWith(text, "invalidating", w.slot) > 0
	})
	w.mustComeDown("after the slot was lost")
	curve.Stop()
	c.Measure("greatest", curve.Max(), "bytes")
	c.Measure("kept", float64(w.size()), "bytes")
	away.Heal()
	c.CloneAgain(standby, w.slot)
}

// giveUp waits for a checkpoint that gives up the slot, which holds back more
// than the limit. The checkpointer loads a new limit in its own time.
func (w *wal) giveUp() pair.Slot {
	w.c.Eventually("a checkpoint gives up the slot", factLimit, func(context.Context) (bool, string, error) {
		w.checkpoint()
		seen := w.state().WALStatus
		return seen == "lost", seen, nil
	})
	return w.mustBe("lost", "a checkpoint has followed")
}

// linesWith counts the lines that hold all of some texts.
func linesWith(log string, texts ...string) (count int) {
	for line := range strings.Lines(log) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			count++
		}
	}
	return count
}

const makeSlotSQL = `SELECT slot_name::text FROM pg_create_physical_replication_slot($1)`

// CloneAgain is what a standby needs whose slot is lost: a new slot of the
// same name, and a new base backup. It waits until it streams.
func (c *C) CloneAgain(standby *pair.Node, slot string) time.Duration {
	primary := c.Pair().Primary
	began := time.Now()
	c.Harness(c.Operator().Stop(c.ctx, standby.Name())) // it would hold the slot again and again
	c.Eventually("slot "+slot+" is dropped", ackLimit, func(ctx context.Context) (bool, string, error) {
		err := primary.Exec(ctx, dropSlotSQL, slot)
		return err == nil, "dropped", err
	})
	ask[string](c, primary, makeSlotSQL, slot)
	c.Harness(c.Operator().Recreate(c.ctx, standby.Name(), true))
	c.StreamsAgain(standby)
	return time.Since(began)
}

func keepSizeOverrides(c *C) {
	standby := c.Pair().Standby()
	w := c.keepLittleWAL()
	c.Set(w.primary, "wal_keep_size", w.segments(wideSegments), w.segments(wideSegments))
	w.limit(narrowSegments)
	ledger := c.KeepWriting(w.primary)
	ledger.WaitAcknowledged(1)
	frozen := c.Pause(standby)
	w.write(writtenSegments)
	w.checkpoint()
	w.mustBe("extended", "the slot is beyond its limit and within wal_keep_size")
	w.mustKeep()
	frozen.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	c.Replay()
	ledger.MustHoldAll(standby)
}
