package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// restartChecks is the chapter "restart": a pair is a pair again after its
// containers were stopped, restarted or made anew, in whatever order. Checks
// that make new servers or base backups stand together, after the others.
func restartChecks() []Check {
	return slices.Concat(
		restartStandbyChecks(),
		restartPrimaryChecks(),
		restartBothChecks(),
		restartHealthChecks(),
		restartStopChecks(),
		restartBackupChecks(),
		restartCloneChecks(),
		restartOrderChecks(),
	)
}

// faultLimit is for a check that breaks something and waits for its end.
const faultLimit = 5 * time.Minute

// faultNeeds is what breaking servers takes.
func faultNeeds() Needs { return Needs{Operator: true, Superuser: true, Exclusive: true} }

func restartStandbyChecks() []Check {
	return onEach([]Check{
		{
			ID:         "restart/standby-comes-back",
			Obligation: "A standby whose container was restarted must stream again, from the data it has and without crash recovery.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers"; compose: restart`,
			Run:    standbyComesBack,
		},
		{
			ID:         "restart/standby-catches-up",
			Obligation: "A standby that was stopped while the primary went on committing must catch up when it is started.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers", "Replication Slots"`,
			Run:    standbyCatchesUp,
		},
		{
			ID:         "restart/standby-recreated",
			Obligation: "A standby whose container was replaced, with the same volume, must stream again from the data it has.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: "compose specification: volumes; docker compose up --force-recreate",
			Run:    standbyRecreated,
		},
		{
			ID:         "restart/standby-without-primary",
			Obligation: "A standby that is restarted while its primary is down must serve reads again, and stream when the primary is back.",
			Level:      Must, Needs: faultNeeds(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Hot Standby: User's Overview"`,
			Run:    standbyWithoutPrimary,
		},
	})
}

func standbyComesBack(c *C) {
	standby := c.Pair().Standby()
	c.needsLog(standby)
	made, log := c.dataMade(standby), c.logFromNow(standby)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	log.mustStartCleanly()
	c.mustKeepData(standby, made)
	ledger.settle(c.Pair().Nodes()...)
}

func standbyCatchesUp(c *C) {
	const missed = 50
	standby := c.Pair().Standby()
	made := c.dataMade(standby)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	stopped := c.Stop(standby)
	ledger.WaitAcknowledged(missed)
	stopped.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	c.mustKeepData(standby, made)
	ledger.settle(c.Pair().Nodes()...)
}

func standbyRecreated(c *C) {
	standby := c.Pair().Standby()
	made := c.dataMade(standby)
	ledger := c.KeepWriting(c.Pair().Primary)
	ledger.WaitAcknowledged(1)
	c.Harness(c.Operator().Recreate(c.ctx, standby.Name(), false))
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	c.mustKeepData(standby, made)
	ledger.settle(c.Pair().Nodes()...)
}

func standbyWithoutPrimary(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	ledger.Stop()
	c.Replay()
	stopped := c.Stop(primary)
	c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	// Whoever clones now waits for the primary that is down.
	c.Measure("serves-reads-again", milliseconds(c.ServesAgain(standby, "pg_basebackup: error:")), "ms")
	ledger.MustHoldAll(standby)
	stopped.Heal()
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	c.write()
	c.Replay()
}

// settle ends the writing and fails the check unless the nodes hold it all.
func (l *Ledger) settle(nodes ...*pair.Node) {
	l.Stop()
	l.c.Replay()
	for _, node := range nodes {
		l.MustHoldAll(node)
	}
}

// Nothing writes this file again once the data directory has been made.
const dataMadeSQL = `SELECT modification FROM pg_stat_file('PG_VERSION')`

// dataMade is when a node's data directory was made, to the second.
func (c *C) dataMade(node *pair.Node) time.Time { return ask[time.Time](c, node, dataMadeSQL) }

// mustKeepData fails the check when a node's data directory was made anew.
func (c *C) mustKeepData(node *pair.Node, before time.Time) {
	if made := c.dataMade(node); !made.Equal(before) {
		c.Errorf("%s had a data directory made at %s and now has one made at %s: it was cloned anew",
			node.Name(), before.UTC().Format(time.RFC3339), made.UTC().Format(time.RFC3339))
	}
}

// together does something to all nodes at the same time.
func (c *C) together(act func(ctx context.Context, node string) error) {
	nodes := c.Pair().Nodes()
	done := make(chan error)
	for _, node := range nodes {
		go func() { done <- act(c.ctx, node.Name()) }()
	}
	var failed error
	for range nodes {
		if err := <-done; err != nil {
			failed = err
		}
	}
	c.Harness(failed)
}
