package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func retentionLost() []Check {
	return []Check{
		{
			ID:         "retention/lost-is-reported",
			Obligation: "A standby whose slot is lost should not count as healthy: it answers, and will never catch up.",
			Level:      Should, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `compose specification: healthcheck; PostgreSQL documentation, "pg_replication_slots": wal_status`,
			Run:    lostIsReported,
		},
		{
			ID:         "retention/lost-needs-clone",
			Obligation: "A standby whose WAL was removed must say so in its log and go on serving reads; a new slot and a new base backup must make it stream again.",
			Level:      Must, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Replication Slots": max_slot_wal_keep_size; "Log-Shipping Standby Servers"`,
			Run:    lostNeedsClone,
		},
	}
}

// lose has the slot of a standby lost while the standby is away, and lets the
// standby return.
func (w *wal) lose(standby *pair.Node) {
	away := w.sendAway(standby)
	w.write(narrowSegments + slackSegments)
	w.limit(narrowSegments)
	w.checkpoint()
	w.mustBe("lost", "the slot holds back more than its limit, and a checkpoint has followed")
	away.Heal()
}

func lostIsReported(c *C) {
	const within = time.Minute // health checks come at intervals, and have retries
	standby := c.Pair().Standby()
	if c.inspect(standby).Health == "" {
		c.Fatalf("%s has no health check: nobody is told when its slot is lost", standby.Name())
	}
	c.Eventually(standby.Name()+" is healthy while it streams", within, c.healthIs(standby, "healthy"))
	w := c.keepLittleWAL()
	w.lose(standby)
	lost := c.Elapsed()
	c.Eventually(standby.Name()+" is unhealthy after its slot was lost", within, c.healthIs(standby, "unhealthy"))
	c.Measure("reported-after", milliseconds(c.Elapsed()-lost), "ms")
	c.CloneAgain(standby, w.slot)
	c.Eventually(standby.Name()+" is healthy again", within, c.healthIs(standby, "healthy"))
}

func (c *C) healthIs(node *pair.Node, wanted string) func(context.Context) (bool, string, error) {
	return func(ctx context.Context) (bool, string, error) {
		state, err := c.Operator().Inspect(ctx, node.Name())
		return state.Health == wanted, fmt.Sprintf("container %s, health check %q", state.State, state.Health), err
	}
}

// removedTexts are what a standby logs when the WAL that it asks for is gone.
//
// Source: PostgreSQL source, walsender.c, xlogreader.c, slot.c.
var removedTexts = [...]string{ //nolint:gochecknoglobals // a constant list
	"has already been removed",              // until 17
	"can no longer access replication slot", // since 18
	"can no longer get changes from replication slot",
}

func lostNeedsClone(c *C) {
	const times, within = 2, 30 * time.Second
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	w := c.keepLittleWAL()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.Replay()
	began := time.Now()
	w.lose(standby)
	c.Eventually(standby.Name()+" logs that the WAL it needs is gone, more than once", within, func(ctx context.Context) (bool, string, error) {
		log, err := c.Operator().Logs(ctx, standby.Name(), began)
		count := 0
		for _, text := range removedTexts {
			count += linesWith(log, text)
		}
		return count >= times, strings.Join(tail(log, 5), "\n  "), err
	})
	if rows := ask[int64](c, standby, fmt.Sprintf(countLedgerSQL, ledger.table)); rows == 0 {
		c.Errorf("%s shows no row of what it had replayed before its slot was lost", standby.Name())
	}
	ledger.WaitAcknowledged(1)
	c.Measure("cloned-and-streams", milliseconds(c.CloneAgain(standby, w.slot)), "ms")
	ledger.Stop()
	c.Replay()
	ledger.MustHoldAll(standby)
}
