package conformance

import (
	"strings"
	"time"
)

func rewindChecks() []Check {
	return []Check{{
		ID: "failover/rewind-after-checkpoint",
		Obligation: "An old primary with writes of its own should rejoin by pg_rewind, without a new base backup; " +
			"up to PostgreSQL 15 only after a CHECKPOINT on the promoted server.",
		Level: Should, Needs: promotionNeeds(), Consumes: true, Limit: faultLimit,
		Source: `PostgreSQL documentation, "pg_rewind"`,
		Run:    rewindAfterCheckpoint,
	}}
}

const (

	// nothingToRewind is what pg_rewind says when both control files name one timeline.
	nothingToRewind = "no rewind required"

	// rewindTrustsControlUntil is the last major version whose pg_rewind takes
	// the timeline from the last checkpoint, which may be one before the promotion.
	rewindTrustsControlUntil = 15
)

func rewindAfterCheckpoint(c *C) {
	const afterRow = 60
	p, ok := promoteBesidePrimary(c).(*promotion)
	if !ok {
		c.Fatalf("scene gives no promotion")
	}
	source, login := c.adminOf(p.promoted)
	rewind := []string{"pg_rewind", "--target-pgdata", p.oldHome.directory, "--source-server", source}
	c.stopForGood(p.old)
	c.needsOldCheckpoint(p.promoted, c.claim(p.promoted))
	if early := c.offline(p.old, login, append(rewind, "--dry-run")...); early.ExitCode != 0 {
		c.Fatalf("pg_rewind cannot be used on %s: %s", p.old.Name(), strings.TrimSpace(early.Stderr+early.Stdout))
	} else if fooled := strings.Contains(early.Stderr+early.Stdout, nothingToRewind); fooled != c.rewindTrustsControl() {
		c.Errorf("pg_rewind right after the promotion says: %s", strings.TrimSpace(early.Stderr+early.Stdout))
	}
	if err := p.promoted.Exec(c.ctx, checkpointSQL); err != nil {
		c.Fatalf("checkpoint: %v", err)
	}
	began := time.Now()
	ended := c.offline(p.old, login, rewind...)
	if said := ended.Stderr + ended.Stdout; ended.ExitCode != 0 || strings.Contains(said, nothingToRewind) {
		c.Fatalf("pg_rewind of %s after a checkpoint on %s: exit code %d: %s", p.old.Name(), p.promoted.Name(), ended.ExitCode, strings.TrimSpace(said))
	}
	c.follow(p.old, p.oldHome, p.promoted, "")
	p.on(c, p.promoted).Do(insertKeptSQL, afterRow, "for the rewound server")
	c.startAgain(p.old)
	c.rejoined(p.promoted, p.old)
	c.Measure("rejoined", milliseconds(time.Since(began)), "ms")
	c.sameKept(p)
	if hasRow(p.on(c, p.old), oldRow) {
		c.Errorf("row %d of the old timeline is still there after the rewind", oldRow)
	}
}

func (c *C) rewindTrustsControl() bool {
	return ask[int](c, c.Pair().Standby(), majorVersionSQL) <= rewindTrustsControlUntil
}
