package conformance

import (
	"fmt"
	"time"
)

func restartBothChecks() []Check {
	return []Check{
		{
			ID:         "restart/both-at-once",
			Obligation: "A pair whose servers were both down must be a pair again, in whatever order they are started.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers"; compose: stop, start, restart`,
			Run:    bothAtOnce,
		},
		{
			ID:         "restart/down-and-up",
			Obligation: "Removing the containers and keeping the volumes must keep both servers' data: brought up again, they are the same pair.",
			Level:      Must, Needs: faultNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: "compose specification: volumes; docker compose down",
			Run:    downAndUp,
		},
	}
}

func bothAtOnce(c *C) {
	operator, primary, standby := c.Operator(), c.Pair().Primary, c.Pair().Standby()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	startInTurn := func(first, second string) {
		c.Harness(operator.StopAll(c.ctx))
		c.Harness(operator.Start(c.ctx, first))
		c.Harness(operator.Start(c.ctx, second))
	}
	orders := []struct {
		name string
		act  func()
	}{
		{"restarted-together", func() { c.together(operator.Restart) }},
		{"primary-started-first", func() { startInTurn(primary.Name(), standby.Name()) }},
		{"standby-started-first", func() { startInTurn(standby.Name(), primary.Name()) }},
	}
	for _, order := range orders {
		c.Logf("servers %s", order.name) // the last one tells when it failed
		order.act()
		c.Measure("streams-again-"+order.name, milliseconds(c.allStreamAgain()), "ms")
		ledger.WaitAcknowledged(1)
	}
	ledger.settle(c.Pair().Nodes()...)
}

// allStreamAgain starts further standbys, where there are any, and gives how
// long it took from the call on until all stream.
func (c *C) allStreamAgain() time.Duration {
	began := time.Now()
	for _, standby := range c.Pair().Standbys[1:] {
		c.Harness(c.Operator().Start(c.ctx, standby.Name()))
	}
	c.StreamsAgain(c.Pair().Standby())
	return time.Since(began)
}

func downAndUp(c *C) {
	standby := c.Pair().Standby()
	identifier, made := ask[int64](c, c.Pair().Primary, systemIdentifierSQL), c.dataMade(standby)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	ledger.Stop()
	c.Harness(c.Operator().RemoveKeepingVolumes(c.ctx))
	for _, node := range c.Pair().Nodes() {
		if state, err := c.Operator().Inspect(c.ctx, node.Name()); err == nil {
			c.Harness(fmt.Errorf("container of %s is still there after it was removed: %s", node.Name(), state.State))
		}
	}
	c.Harness(c.Operator().UpAgain(c.ctx))
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	for _, node := range c.Pair().Nodes() {
		if now := ask[int64](c, node, systemIdentifierSQL); now != identifier {
			c.Errorf("system identifier of %s is %d, was %d: its data are gone", node.Name(), now, identifier)
		}
	}
	c.mustKeepData(standby, made) // a new clone would have the same identifier and rows
	ledger.settle(c.Pair().Nodes()...)
}
