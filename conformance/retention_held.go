package conformance

// written is how many segments a check of the chapter writes: more than a
// primary may keep when nobody needs them.
const writtenSegments = 2*smallSegments + slackSegments

func retentionHeld() []Check {
	return []Check{
		{
			ID:         "retention/bounded-while-streaming",
			Obligation: "While its standby streams, the primary must keep no more WAL than max_wal_size and wal_keep_size allow, however much it writes.",
			Level:      Must, Needs: retentionNeeds(), Limit: faultLimit,
			Source: `PostgreSQL documentation, "WAL Configuration": max_wal_size`,
			Run:    boundedWhileStreaming,
		},
		{
			ID:         "retention/held-while-away",
			Obligation: "While a standby is away and its slot has no limit, the primary must keep all WAL that it lacks, also beyond max_wal_size, and the slot must show it.",
			Level:      Must, Needs: retentionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots", "pg_replication_slots": wal_status`,
			Run:    heldWhileAway,
		},
		{
			ID:         "retention/shrinks-after-return",
			Obligation: "When a standby has returned and caught up, the primary must remove the WAL that it kept for it.",
			Level:      Must, Needs: retentionNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots", "WAL Configuration"`,
			Run:    shrinksAfterReturn,
		},
		{
			ID:         "retention/is-bounded",
			Obligation: "What a standby's slot may hold back should have a limit: without one a standby that is away fills the primary's disk.",
			Level:      Should, Needs: Needs{Since: 13},
			Source: `PostgreSQL documentation, "Sending Servers": max_slot_wal_keep_size`,
			Run:    isBounded,
		},
	}
}

func boundedWhileStreaming(c *C) {
	w := c.keepLittleWAL()
	curve := w.watch()
	before := c.currentLSN()
	w.write(writtenSegments)
	written := bytesBetween(before, c.currentLSN())
	if bound := w.bound(); written <= bound-slackSegments*w.segment {
		c.Skipf("%d bytes were written, and wal_keep_size lets the primary keep %d", written, bound)
	}
	c.Replay()
	w.mustComeDown("while the standby streams")
	curve.Stop()
	c.Measure("written", float64(written), "bytes")
	c.Measure("kept", float64(w.size()), "bytes")
}

func heldWhileAway(c *C) {
	standby := c.Pair().Standby()
	w := c.keepLittleWAL()
	curve := w.watch()
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	away := w.sendAway(standby)
	held := w.mustBe("reserved", "little was written since the standby went away").Restart
	w.write(writtenSegments)
	w.checkpoint()
	seen := w.mustBe("extended", "more than max_wal_size was written since the standby went away")
	if seen.Restart != held {
		c.Errorf("slot %q moved from %s to %s though its standby is away", w.slot, held, seen.Restart)
	}
	if seen.SafeWALSize != nil {
		c.Errorf("slot %q has no limit and yet safe_wal_size %d", w.slot, *seen.SafeWALSize)
	}
	w.mustKeep()
	size := w.size()
	c.Measure("kept", float64(size), "bytes")
	if least := bytesBetween(held, c.currentLSN()); size < least {
		c.Errorf("pg_wal holds %d bytes, the standby lacks %d", size, least)
	}
	away.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	curve.Stop()
	c.Replay()
	ledger.MustHoldAll(standby)
}

func shrinksAfterReturn(c *C) {
	standby := c.Pair().Standby()
	w := c.keepLittleWAL()
	curve := w.watch()
	away := w.sendAway(standby)
	w.write(writtenSegments)
	w.checkpoint()
	if size, bound := w.size(), w.bound(); size <= bound {
		c.Fatalf("pg_wal holds %d bytes for the standby that is away: within the bound of %d there is nothing to shrink", size, bound)
	}
	away.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	w.mustComeDown("after the standby returned")
	curve.Stop()
	c.Measure("greatest", curve.Max(), "bytes")
	c.Measure("kept", float64(w.size()), "bytes")
}

func isBounded(c *C) {
	primary := c.Pair().Primary
	if limit := c.setting(primary, "max_slot_wal_keep_size"); limit == "-1" {
		c.Errorf("max_slot_wal_keep_size of %s is -1: its slots hold back WAL without limit", primary.Name())
	}
}
