package conformance

import (
	"context"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func crashAfterPromotionChecks(promoted *Scene) []Check {
	return []Check{{
		ID: "failover/crash-after-promotion",
		Obligation: "A promoted server that crashes before its first checkpoint must recover across the promotion, " +
			"stay on its timeline and keep what it has acknowledged.",
		Level: Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
		Source: `PostgreSQL documentation, "Reliability and the Write-Ahead Log", "Timelines"; PostgreSQL's own recovery tests`,
		Run:    crashAfterPromotion,
	}}
}

func crashAfterPromotion(c *C) {
	const acknowledged = 50
	p := sceneOf[*promotion](c)
	before := c.claim(p.promoted)
	session := p.on(c, p.promoted)
	session.Do(insertKeptSQL, acknowledged, "right before the crash")
	c.needsOldCheckpoint(p.promoted, before)
	bystander := p.on(c, p.promoted)
	victim := Value[int32](session, backendSQL)
	killed := time.Now()
	c.signal(p.promoted, "KILL", victim)
	c.Eventually("the crash ends every session", promotionBound, func(ctx context.Context) (bool, string, error) {
		return bystander.Ping(ctx) != nil, "a session of another process goes on", nil
	})
	p.promoted.Close()
	var after pair.Claim
	c.Eventually(p.promoted.Name()+" takes writes again", promotionBound, func(ctx context.Context) (ok bool, seen string, err error) {
		after, ok, err = p.promoted.Claim(ctx)
		return ok, "it is in recovery", err
	})
	c.Measure("crash-recovery", milliseconds(time.Since(killed)), "ms")
	if after.Timeline != before.Timeline {
		c.Errorf("after the crash %s writes timeline %d, it was promoted to %d", p.promoted.Name(), after.Timeline, before.Timeline)
	}
	recovered := p.on(c, p.promoted)
	for _, row := range []int{1, 2, 3, acknowledged} {
		if !hasRow(recovered, row) {
			c.Errorf("row %d is lost, %s has rows %v", row, p.promoted.Name(), Column[int](recovered, keptSQL))
		}
	}
	recovered.Do(insertKeptSQL, acknowledged+1, "after the crash")
}

// needsOldCheckpoint ends a check that would prove nothing because the first
// checkpoint on the new timeline is over already.
func (c *C) needsOldCheckpoint(node *pair.Node, claim pair.Claim) {
	identity, err := node.Identity(c.ctx)
	switch {
	case err != nil:
		c.Fatalf("%v", err)
	case identity.Timeline >= claim.Timeline:
		c.Fatalf("%s has had a checkpoint on timeline %d already: this is no longer right after its promotion", node.Name(), claim.Timeline)
	}
}
