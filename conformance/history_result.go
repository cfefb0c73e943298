package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// judgeHistory ends the clients, reads what there is in the end, and looks for violations.
func (c *C) judgeHistory(clients *recorder) {
	clients.end()
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	// A server may still be at work for a client that has given up on it.
	c.Eventually("the last writer's session has ended", returnLimit, func(ctx context.Context) (bool, string, error) {
		left, err := pair.One[int](ctx, primary, clientsLeftSQL, clients.name)
		return left == 0, fmt.Sprintf("%d sessions", left), err
	})
	c.Replay()
	schema := pgx.Identifier{c.Schema()}.Sanitize()
	seen := clients.history
	seen.Order = c.ids(primary, fmt.Sprintf(finalOrderSQL, schema))
	seen.Pages = c.ids(primary, fmt.Sprintf(finalPagesSQL, schema))

	account := seen.account()
	c.Measure("acknowledged", float64(account.Acknowledged), "transactions")
	c.Measure("lost", float64(len(account.Lost)), "transactions")
	c.Measure("maybe", float64(account.Unknown), "transactions")
	c.Measure("maybe-kept", float64(account.UnknownKept), "transactions")
	c.Measure("snapshots", float64(len(seen.Snapshots)), "")
	c.Measure("reader-sessions", float64(clients.sessions), "")
	c.Measure("register-uses", float64(len(clients.uses)), "")
	c.Series("committed-on-the-primary", "s", "transactions", seen.committed())
	c.Series("visible-on-the-standby", "s", "transactions", seen.visible())

	if account.Acknowledged == 0 || len(seen.Snapshots) == 0 || len(clients.uses) == 0 {
		c.Fatalf("%d transactions acknowledged, %d snapshots, %d register uses: this proves nothing",
			account.Acknowledged, len(seen.Snapshots), len(clients.uses))
	}
	for _, violation := range seen.judge() {
		c.Errorf("%s", violation)
	}
	violation, err := linearizable(clients.uses, orderLimit)
	c.Harness(err)
	if violation != "" {
		c.Errorf("%s", violation)
	}
	if held := c.ids(standby, fmt.Sprintf(finalOrderSQL, schema)); !slices.Equal(held, seen.Order) {
		c.Errorf("in the end the standby has %d transactions, the primary %d, or in another order", len(held), len(seen.Order))
	}
}

func (c *C) ids(node *pair.Node, sql string) []int64 {
	ids, err := pair.Column[int64](c.ctx, node, sql)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return ids
}

// committed is how many transactions had been acknowledged, over time.
func (h history) committed() [][2]float64 {
	ended := slices.DeleteFunc(slices.Clone(h.Appends), func(one appended) bool { return one.Outcome != Acknowledged })
	slices.SortFunc(ended, func(a, b appended) int { return int(a.Ended - b.Ended) })
	var points [][2]float64
	for i, one := range ended {
		points = append(points, [2]float64{one.Ended.Seconds(), float64(i + 1)})
	}
	return points
}

// visible is how many transactions the standby showed, over time.
func (h history) visible() [][2]float64 {
	var points [][2]float64
	for _, seen := range h.Snapshots {
		points = append(points, [2]float64{seen.At.Seconds(), float64(len(seen.Book))})
	}
	return points
}
