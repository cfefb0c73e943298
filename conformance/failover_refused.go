package conformance

func refusedOnPrimaryChecks() []Check {
	return []Check{{
		ID:         "failover/refused-on-primary",
		Obligation: "A primary must refuse to be promoted, paused or resumed with SQLSTATE 55000, and a promotion that waits for no time with 22003, and go on undisturbed.",
		Level:      Must,
		Needs:      Needs{Superuser: true, Exclusive: true},
		Disturbs:   true,
		Source:     `PostgreSQL documentation, "Recovery Control Functions"`,
		Run:        refusedOnPrimary,
	}}
}

func refusedOnPrimary(c *C) {
	primary, standby := c.OnPrimary(), c.OnStandby()
	before := c.claim(c.Pair().Primary)
	for _, sql := range []string{
		promoteSQL,
		`SELECT pg_wal_replay_pause()`,
		`SELECT pg_wal_replay_resume()`,
		`SELECT pg_is_wal_replay_paused()`,
	} {
		primary.Refuses("55000", sql)
	}
	for _, session := range []*Session{primary, standby} {
		// On the standby too it must be refused before it promotes.
		if session == standby {
			session.Refuses("22003", `SELECT pg_promote(true, 0)`)
			session.Refuses("22003", `SELECT pg_promote(false, -1)`)
			continue
		}
		session.Refuses("55000", `SELECT pg_promote(true, 0)`)
	}
	c.write()
	c.Replay() // on the timeline of before, which a standby that was promoted would have left
	if after := c.claim(c.Pair().Primary); after.Timeline != before.Timeline || after.SystemIdentifier != before.SystemIdentifier {
		c.Errorf("refused promotions moved %s from timeline %d to %d", after.Node, before.Timeline, after.Timeline)
	}
	if !Value[bool](standby, inRecoverySQL) {
		c.Errorf("%s has left recovery after a promotion that it refused", c.Pair().Standby().Name())
	}
}
