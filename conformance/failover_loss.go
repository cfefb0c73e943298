package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func lostRowsChecks(failedOver *Scene) []Check {
	return []Check{
		{
			ID: "failover/no-loss-when-synchronous",
			Obligation: "A failover to a synchronous standby must lose no acknowledged write, " +
				"also when the standby was cut off before the primary died.",
			Level: Must, Needs: promotionNeeds(), Consumes: true, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Synchronous Replication"`,
			Run:    noLossWhenSynchronous,
		},
		{
			ID: "failover/lost-rows-counted",
			Obligation: "A failover to an asynchronous standby must lose nothing but the last acknowledged writes, without a hole, " +
				"and nothing that was written afterwards.",
			Level: Must, Needs: promotionNeeds(), Consumes: true, Scene: failedOver, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Log-Shipping Standby Servers", "Failover"`,
			Run:    lostRowsCounted,
		},
	}
}

// failover is a standby that was promoted after its primary was killed under load.
type failover struct {
	old      *pair.Node
	promoted *pair.Node
	home     home // of the old primary
	cut      bool // the standby had been cut off before

	writes   []Write // by a client that follows the primary
	switched int64   // the first id that the promoted server acknowledged
	account  Account
	gap      time.Duration // between two acknowledgements
	gapTold  time.Duration // between two rows, by the clocks of the servers
}

const longestStillSQL = `
SELECT COALESCE(max(extract(epoch FROM pause)), 0)::float8 * 1000
  FROM (SELECT at - lag(at) OVER (ORDER BY id) AS pause FROM %s) AS pauses`

// failOver is the scene of an asynchronous failover: a client writes, the
// standby is cut off, the primary is killed, the standby is promoted.
func failOver(c *C) any {
	const behind, afterwards = 20, 50
	f := &failover{old: c.Pair().Primary, promoted: c.Pair().Standby(), home: c.homeOf(c.Pair().Primary)}
	ledger := c.KeepCommitting(c.wherePrimary())
	ledger.WaitAcknowledged(afterwards)
	var cut *Injection
	if names := c.setting(f.old, namesParameter); names == "" {
		cut = c.cutOff(f.promoted)
	} else {
		c.Logf("the standby was not cut off before the failover: commits wait for %s", names)
	}
	f.cut = cut != nil
	ledger.WaitAcknowledged(behind)
	c.killForGood(f.old)
	before := ledger.Writes() // here nobody acknowledges: a promoted server takes writes before it says so
	c.mustPromote(f.promoted)
	ledger.WaitAcknowledged(afterwards)
	ledger.Stop()
	if f.cut {
		cut.Heal() // here, where nobody is connected: a change of networks breaks connections
		f.promoted.Close()
	}

	f.writes = ledger.Writes()
	for _, write := range f.writes[len(before):] {
		if write.Outcome == Acknowledged {
			f.switched = write.ID
			break
		}
	}
	f.account = ledger.Account(f.promoted)
	f.gap = ledger.LongestGap()
	f.gapTold = time.Duration(ask[float64](c, f.promoted, fmt.Sprintf(longestStillSQL, ledger.table)) * float64(time.Millisecond))
	c.drawWrites(f.writes)
	return f
}

// cutOff separates the standby from the primary where the operator can, so
// that what is acknowledged from now on is surely not received.
func (c *C) cutOff(standby *pair.Node) *Injection {
	if reason := c.Operator().Unavailable(c.ctx, Isolated); reason != "" {
		c.Logf("the standby was not cut off before the failover: %s", reason)
		return nil
	}
	return c.Isolate(standby)
}

// killForGood ends a server with SIGKILL; nothing starts it again.
func (c *C) killForGood(node *pair.Node) {
	kill := func(ctx context.Context, name string) error { return c.Operator().Kill(ctx, name, "KILL") }
	c.Inject(Killed, node, kill, func(context.Context, string) error { return nil })
}

// drawWrites records how many writes were acknowledged when: the report marks
// the longest gap.
func (c *C) drawWrites(writes []Write) {
	c.Series("write-gap", "s", "writes", acknowledgedOverTime(writes))
}

func acknowledgedOverTime(writes []Write) [][2]float64 {
	var points [][2]float64
	for _, write := range writes {
		if write.Outcome == Acknowledged {
			points = append(points, [2]float64{write.Ended.Seconds(), float64(len(points) + 1)})
		}
	}
	return points
}

func lostRowsCounted(c *C) {
	f := sceneOf[*failover](c)
	c.Measure("lost-rows", float64(len(f.account.Lost)), "rows")
	c.Measure("write-gap", milliseconds(f.gap), "ms")
	c.Measure("write-gap-in-the-data", milliseconds(f.gapTold), "ms")
	c.Measure("unknown-writes", float64(f.account.Unknown), "rows")
	if f.switched == 0 {
		c.Fatalf("the promoted server acknowledged nothing")
	}
	if f.cut && len(f.account.Lost) == 0 {
		c.Fatalf("no row is lost though the standby was cut off while writes were acknowledged: the count proves nothing")
	}
	if hole := holeBeforeLoss(f.writes, f.account.Lost, f.switched); hole != "" {
		c.Errorf("%s", hole)
	}
	if len(f.account.Undead) > 0 {
		c.Errorf("%s holds %d rows whose write was refused, the first is %d", f.promoted.Name(), len(f.account.Undead), f.account.Undead[0])
	}
}

// holeBeforeLoss says what is wrong with the set of lost writes, or "": they
// must be the last acknowledged ones before the first that the promoted server took.
func holeBeforeLoss(writes []Write, lost []int64, switched int64) string {
	if len(lost) == 0 {
		return ""
	}
	if last := lost[len(lost)-1]; last >= switched {
		return fmt.Sprintf("row %d is lost, which the promoted server itself acknowledged, from row %d on", last, switched)
	}
	for _, write := range writes {
		if write.ID <= lost[0] || write.ID >= switched || write.Outcome != Acknowledged {
			continue
		}
		if _, gone := slices.BinarySearch(lost, write.ID); !gone {
			return fmt.Sprintf("row %d is lost and the later row %d is not: what a standby has is no prefix of what was acknowledged", lost[0], write.ID)
		}
	}
	return ""
}

const waitsForStandbySQL = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT INTO%ledger%')`

func noLossWhenSynchronous(c *C) {
	const some = 50
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.commitTable()
	c.synchronous()
	ledger := c.KeepCommitting(c.wherePrimary())
	ledger.WaitAcknowledged(some)
	if c.cutOff(standby) != nil {
		c.Eventually("a commit waits for the standby that is cut off", promotionBound, func(ctx context.Context) (bool, string, error) {
			waits, err := pair.One[bool](ctx, primary, waitsForStandbySQL)
			return waits, fmt.Sprintf("%d writes acknowledged", ledger.Count(Acknowledged)), err
		})
	}
	c.killForGood(primary)
	c.mustPromote(standby)
	ledger.WaitAcknowledged(some)
	ledger.Stop()
	account := ledger.MustHoldAll(standby)
	c.Measure("lost-rows", float64(len(account.Lost)), "rows")
	c.Measure("unknown-writes", float64(account.Unknown), "rows")
	c.Measure("write-gap", milliseconds(ledger.LongestGap()), "ms")
	c.drawWrites(ledger.Writes())
}
