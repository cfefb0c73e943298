package conformance

import "slices"

// crashChecks is the chapter "crash": whatever is killed, what was
// acknowledged stays, on the timeline and behind the slot that there were, and
// the pair is a pair again.
func crashChecks() []Check {
	return slices.Concat(crashProcessChecks(), crashSessionChecks(), crashContainerChecks())
}

func crashContainerChecks() []Check {
	const source = `PostgreSQL documentation, "Reliability and the Write-Ahead Log"`
	return []Check{
		{
			ID:         "crash/primary-kill-keeps-acknowledged-rows",
			Obligation: "After a SIGKILL the primary must come back by crash recovery with every acknowledged row, its timeline and its slots, and the standby must stream again and serve reads all the time.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source + `, "Replication Slots"`,
			Run:    primaryKill,
		},
		{
			ID:         "crash/standby-kill",
			Obligation: "After a SIGKILL the standby must come back from its data and stream again; meanwhile the primary must go on committing.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source + `, "Log-Shipping Standby Servers"`,
			Each:   true, Run: standbyKill,
		},
		{
			ID:         "crash/both-kill",
			Obligation: "After a SIGKILL of both servers at once they must be a pair again, and both must hold every acknowledged row.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: source,
			Run:    bothKill,
		},
	}
}

// primaryRecovered and standbyRecovered are what a server logs that finds it
// was not shut down.
const (
	primaryRecovered = "automatic recovery in progress"
	standbyRecovered = "database system was interrupted while in recovery"
)

func primaryKill(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(primary)
	timeline, slot := c.timeline(), c.slotOf(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(10)
	c.Replay()
	reader := c.readLedger(ledger)
	defer reader.stop()
	reader.more(c, 1)

	log := c.logFromNow(primary)
	killed := c.Kill(primary)
	killed.Heal()
	c.Measure("answers-again", milliseconds(c.ServesAgain(primary)), "ms")
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	ledger.WaitAcknowledged(10)
	log.wait(primaryRecovered)
	reader.verdict(c)
	c.mustKeepTimelineAndSlot(timeline, slot)
	ledger.settle(c.Pair().Nodes()...)
	c.Measure("longest-gap-between-commits", milliseconds(ledger.LongestGap()), "ms")
	c.drawWrites(ledger.Writes())
}

func standbyKill(c *C) {
	const missed = 50
	standby := c.Pair().Standby()
	c.needsLog(standby)
	made, timeline, slot := c.dataMade(standby), c.timeline(), c.slotOf(standby)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(10)
	log := c.logFromNow(standby)
	killed := c.Kill(standby)
	ledger.WaitAcknowledged(missed)
	killed.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	log.wait(standbyRecovered)
	c.mustKeepData(standby, made)
	c.mustKeepTimelineAndSlot(timeline, slot)
	ledger.settle(c.Pair().Nodes()...)
	c.Measure("longest-gap-between-commits", milliseconds(ledger.LongestGap()), "ms")
	c.drawWrites(ledger.Writes())
}

func bothKill(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(primary)
	timeline, slot := c.timeline(), c.slotOf(standby)
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(10)
	log := c.logFromNow(primary)
	killed := []*Injection{c.Kill(primary), c.Kill(standby)}
	for _, one := range killed {
		one.Heal()
	}
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	log.wait(primaryRecovered)
	ledger.WaitAcknowledged(10)
	c.mustKeepTimelineAndSlot(timeline, slot)
	ledger.settle(c.Pair().Nodes()...)
}
