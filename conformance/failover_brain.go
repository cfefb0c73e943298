package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func splitBrainChecks(promoted *Scene) []Check {
	return []Check{{
		ID: "failover/split-brain-is-visible",
		Obligation: "When primary and promoted standby both take writes, SQL must show it: one system identifier, " +
			"both out of recovery, the promoted one on the later timeline.",
		Level: Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
		Source: `PostgreSQL documentation, "Failover", "Timelines"`,
		Run:    splitBrainIsVisible,
	}}
}

const (
	oldOnlyRow = iota + 40
	promotedOnlyRow
)

func splitBrainIsVisible(c *C) {
	const within = 10 * time.Second
	p := sceneOf[*promotion](c)
	old, promoted := p.on(c, p.old), p.on(c, p.promoted)
	old.Do(insertKeptSQL, oldOnlyRow, "by the old primary")
	promoted.Do(insertKeptSQL, promotedOnlyRow, "by the promoted server")
	if hasRow(old, promotedOnlyRow) || hasRow(promoted, oldOnlyRow) {
		c.Fatalf("a write of one server is on the other: there is no split brain to see")
	}
	before, after := c.claim(p.old), c.claim(p.promoted)
	if before.SystemIdentifier != after.SystemIdentifier {
		c.Errorf("system identifiers are %d and %d: the promoted server passes for another cluster", before.SystemIdentifier, after.SystemIdentifier)
	}
	if after.Timeline <= before.Timeline {
		c.Errorf("%s was promoted and writes timeline %d, %s writes %d: nothing tells which data are the newer",
			p.promoted.Name(), after.Timeline, p.old.Name(), before.Timeline)
	}
	// What an application and an operator would call.
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	_, err := pair.Discover(ctx, c.Pair().Nodes()...)
	for what, err := range map[string]error{"looking for roles": err, "waiting for the pair": c.Pair().WaitReady(ctx)} {
		var two *pair.TwoPrimariesError
		if !errors.As(err, &two) || !two.SplitBrain() {
			c.Errorf("%s says %v, must say split brain", what, err)
		}
	}
}
