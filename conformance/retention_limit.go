package conformance

import (
	"context"
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
	w.limit(wideSegments)
	curve := w.watch()
	began := time.Now()
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

	// The checkpointer loads the new limit in its own time.
	c.Eventually("a checkpoint gives up the slot", factLimit, func(context.Context) (bool, string, error) {
		w.checkpoint()
		seen := w.state().WALStatus
		return seen == "lost", seen, nil
	})
	lost := w.mustBe("lost", "a checkpoint has followed")
	if lost.SafeWALSize != nil {
		c.Errorf("safe_wal_size of a lost slot is %d, must be NULL", *lost.SafeWALSize)
	}
	w.mustLog(began, "invalidating", w.slot)
	w.mustComeDown("after the slot was lost")
	curve.Stop()
	c.Measure("greatest", curve.Max(), "bytes")
	c.Measure("kept", float64(w.size()), "bytes")
	away.Heal()
	c.CloneAgain(standby, w.slot)
}

// mustLog fails unless the primary has logged a line with all of some texts.
func (w *wal) mustLog(since time.Time, texts ...string) {
	w.c.Eventually("the log of "+w.primary.Name()+" says "+strings.Join(texts, " … "), ackLimit, func(ctx context.Context) (bool, string, error) {
		log, err := w.c.Operator().Logs(ctx, w.primary.Name(), since)
		return linesWith(log, texts...) > 0, strings.Join(tail(log, 5), "\n  "), err
	})
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
