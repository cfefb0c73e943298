package conformance

import "time"

func switchoverChecks() []Check {
	return []Check{{
		ID: "failover/switchover",
		Obligation: "After a clean stop of the primary and the promotion of its standby, the old primary must rejoin as a standby " +
			"without rewind or new base backup, and no acknowledged write must be lost.",
		Level: Must, Needs: promotionNeeds(), Consumes: true, Limit: faultLimit,
		Source: `PostgreSQL documentation, "Failover", "Shutting Down the Server"; PostgreSQL's own recovery tests`,
		Run:    switchover,
	}}
}

func switchover(c *C) {
	const some = 50
	old, promoted := c.Pair().Primary, c.Pair().Standby()
	at := c.homeOf(old)
	ledger := c.KeepCommitting(c.wherePrimary())
	ledger.WaitAcknowledged(some)
	began := time.Now()
	stopped := c.Stop(old)
	c.mustPromote(promoted)
	ledger.WaitAcknowledged(some)
	c.follow(old, at, promoted, "")
	stopped.Heal()
	c.rejoined(promoted, old)
	c.Measure("switchover", milliseconds(time.Since(began)), "ms")
	ledger.WaitAcknowledged(some)
	ledger.Stop()
	c.Measure("write-gap", milliseconds(ledger.LongestGap()), "ms")
	c.drawWrites(ledger.Writes())
	c.rejoined(promoted, old) // and has replayed the last write
	ledger.MustHoldAll(promoted)
	ledger.MustHoldAll(old)
}
