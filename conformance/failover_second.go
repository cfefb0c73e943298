package conformance

import (
	"context"
	"fmt"
	"time"
)

func secondPrimaryChecks(failedOver *Scene) []Check {
	return []Check{{
		ID:         "failover/no-second-primary",
		Obligation: "An old primary that is started again after a failover should not take writes beside the promoted server.",
		Level:      Should, Needs: promotionNeeds(), Consumes: true, Scene: failedOver, Limit: faultLimit,
		Source: `PostgreSQL documentation, "Failover": STONITH`,
		Run:    noSecondPrimary,
	}}
}

const (
	// beginBound is how long a container may take from its start to the first
	// sign of its server. A start script has little to do until then.
	beginBound = 4 * time.Second
	// beginLooks is how many other programs are started beside it meanwhile: on
	// a busy machine they take their time as the script does.
	beginLooks = 30
)

// noSecondPrimary starts the old primary and waits until it takes writes,
// follows, or has ended; or until no server has begun there within a time in
// which one that was to start would have.
func noSecondPrimary(c *C) {
	f := sceneOf[*failover](c)
	c.claim(f.promoted)
	// A server that was killed has left its lock file behind.
	c.mustOffline(f.old, "remove lock file", "rm", "-f", f.home.directory+"/postmaster.pid")
	since, looks := time.Now(), 0
	c.startAgain(f.old)
	c.Eventually("what becomes of the old primary shows", returnLimit, func(ctx context.Context) (bool, string, error) {
		claim, primary, err := f.old.Claim(ctx)
		switch {
		case primary:
			promoted := c.claim(f.promoted)
			c.Errorf("%s takes writes again, on timeline %d, while %s takes them on timeline %d: each has what the other lacks",
				f.old.Name(), claim.Timeline, f.promoted.Name(), promoted.Timeline)
			return true, "", nil
		case err == nil:
			return true, "it is in recovery", nil
		}
		state, err := c.Operator().Inspect(ctx, f.old.Name())
		if err != nil || state.State == "exited" || state.State == "dead" {
			return err == nil, state.State, err
		}
		begun, err := c.Operator().Exec(ctx, f.old.Name(), "test", "-e", f.home.directory+"/postmaster.pid")
		looks++
		waited := looks > beginLooks && time.Since(since) > beginBound
		return err == nil && begun.ExitCode != 0 && waited, fmt.Sprintf("lock file of a server: %t", begun.ExitCode == 0), err
	})
}
