package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func secondPrimaryChecks(failedOver *Scene) []Check {
	const source = `PostgreSQL documentation, "Failover": STONITH`
	return []Check{
		{
			ID:         "failover/no-second-primary",
			Obligation: "An old primary that is started again after a failover should not take writes beside the promoted server.",
			Level:      Should, Needs: promotionNeeds(), Consumes: true, Scene: failedOver, Limit: faultLimit,
			Source: source,
			Run:    noSecondPrimary,
		},
		{
			ID: "failover/down-and-up",
			Obligation: "After a failover, servers that are all removed without their data and started again should be one primary, " +
				"the promoted server, with all that it has acknowledged.",
			Level: Should, Needs: promotionNeeds(), Consumes: true, Limit: faultLimit,
			Source: source + "; docker compose down, up",
			Run:    downAndUpAfterFailover,
		},
	}
}

const (
	// beginBound is how long a container may take from its start to the first
	// sign of its server. A start script has little to do until then.
	beginBound = 4 * time.Second
	// beginLooks is how many other programs are started beside it meanwhile: on
	// a busy machine they take their time as the script does.
	beginLooks = 30
)

func noSecondPrimary(c *C) {
	f := sceneOf[*failover](c)
	c.claim(f.promoted)
	// A server that was killed has left its lock file behind.
	c.mustOffline(f.old, "remove lock file", nil, "rm", "-f", f.home.directory+"/postmaster.pid")
	c.startAgain(f.old)
	c.mustNotTakeWrites(f.old, f.home, f.promoted)
}

func downAndUpAfterFailover(c *C) {
	const some = 20
	old, promoted := c.Pair().Primary, c.Pair().Standby()
	at := c.homeOf(old)
	ledger := c.KeepCommitting(c.wherePrimary())
	ledger.WaitAcknowledged(some)
	c.stopForGood(old)
	c.mustPromote(promoted)
	ledger.WaitAcknowledged(some)
	ledger.Stop()
	c.Harness(c.Operator().RemoveKeepingVolumes(c.ctx))
	c.Harness(c.Operator().UpAgain(c.ctx))
	// Whoever clones now waits for the primary that it was.
	c.Measure("serves-again", milliseconds(c.ServesAgain(promoted, "pg_basebackup: error:")), "ms")
	c.claim(promoted)
	ledger.MustHoldAll(promoted)
	c.mustNotTakeWrites(old, at, promoted)
}

// mustNotTakeWrites is for an old primary that was just started. It waits until
// that takes writes, follows, or has ended; or until no server has begun there
// within a time in which one that was to start would have.
func (c *C) mustNotTakeWrites(old *pair.Node, at home, promoted *pair.Node) {
	since, looks := time.Now(), 0
	c.Eventually("what becomes of the old primary shows", returnLimit, func(ctx context.Context) (bool, string, error) {
		claim, primary, err := old.Claim(ctx)
		switch {
		case primary:
			c.Errorf("%s takes writes again, on timeline %d, while %s takes them on timeline %d: each has what the other lacks",
				old.Name(), claim.Timeline, promoted.Name(), c.claim(promoted).Timeline)
			return true, "", nil
		case err == nil:
			return true, "it is in recovery", nil
		}
		state, err := c.Operator().Inspect(ctx, old.Name())
		if err != nil || state.State == "exited" || state.State == "dead" {
			return err == nil, state.State, err
		}
		begun, err := c.Operator().Exec(ctx, old.Name(), nil, "test", "-e", at.directory+"/postmaster.pid")
		looks++
		waited := looks > beginLooks && time.Since(since) > beginBound
		return err == nil && begun.ExitCode != 0 && waited, fmt.Sprintf("lock file of a server: %t", begun.ExitCode == 0), err
	})
}
