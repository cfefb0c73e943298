package conformance

import (
	"fmt"
	"strings"
	"time"
)

func propagationBulk() []Check {
	return []Check{
		{
			ID: "propagation/bulk-and-truncate",
			Obligation: "A transaction of 1 000 000 rows must become visible on the standby all at once, and one that empties the table " +
				"and refills it as well.",
			Level:  Must,
			Source: "PostgreSQL documentation, Transactions; Log-Shipping Standby Servers",
			Limit:  3 * time.Minute,
			Run:    bulkArrives,
		},
		{
			ID:         "propagation/huge-rollback",
			Obligation: "Rows of a large transaction that was rolled back must never be seen on the standby, though their WAL arrived.",
			Level:      Must,
			Source:     "PostgreSQL documentation, ROLLBACK; Log-Shipping Standby Servers",
			Limit:      3 * time.Minute,
			Run:        rollbackLeavesNothing,
		},
	}
}

const (
	bulkRows     = 1_000_000
	bulkTableSQL = `CREATE TABLE bulk (id int) WITH (autovacuum_enabled = off)`
	bulkFillSQL  = `INSERT INTO bulk SELECT generate_series(1, $1::int)`
	bulkSumSQL   = `SELECT concat_ws(' ', count(*), sum(id), sum(hashint4(id))) FROM bulk`

	bulkIDsSQL = `SELECT id::text FROM bulk`

	// bulkPlacesSQL finds the first row, the last and some between.
	bulkPlacesSQL = `SELECT ctid::text FROM bulk WHERE id % 250000 = 1 OR id = 1000000`

	// bulkGlanceSQL looks whether there is something where these rows are
	// stored, and how many of them are visible. Counting all rows would take
	// too long to look often.
	bulkGlanceSQL = `
SELECT ARRAY[pg_relation_size('bulk'), (SELECT count(*) FROM bulk WHERE ctid = ANY ('{"%s"}'::tid[]))]`
	bulkGlanced = 5

	bulkRefillSQL = `
BEGIN;
TRUNCATE bulk;
INSERT INTO bulk VALUES (7);
COMMIT`
)

func bulkArrives(c *C) {
	const enoughGlances = 100
	primary := c.writer()
	primary.Do(bulkTableSQL)
	c.Replay()
	start := time.Now()
	primary.Do(`BEGIN`)
	primary.Do(bulkFillSQL, bulkRows)
	c.Measure("insert", milliseconds(time.Since(start)), "ms")
	places := Column[string](primary, bulkPlacesSQL)
	if len(places) != bulkGlanced {
		c.Fatalf("%d rows to look at, want %d: %q", len(places), bulkGlanced, places)
	}
	hidden, shown := 0, 0
	reader := c.startReader(fmt.Sprintf(bulkGlanceSQL, strings.Join(places, `","`)), func(row []int64) string {
		size, visible := row[0], row[1]
		switch {
		case visible == bulkGlanced:
			shown++
		case visible == 0 && size > 0:
			hidden++
		case visible != 0:
			return fmt.Sprintf("part of the transaction is visible: %d of %d rows", visible, bulkGlanced)
		}
		return ""
	})
	defer reader.stop()
	reader.more(c, enoughGlances)
	start = time.Now()
	primary.Do(`COMMIT`)
	c.Replay()
	c.Measure("commit-to-replayed", milliseconds(time.Since(start)), "ms")
	reader.more(c, enoughGlances)
	reader.verdict(c)
	if hidden == 0 || shown == 0 {
		c.Errorf("%d reads met rows that had arrived and were not committed, %d met all of them: it proves nothing unless both do", hidden, shown)
	}
	sum := c.same("1 000 000 rows of one transaction", bulkSumSQL)[0]
	if want := fmt.Sprintf("%d %d ", bulkRows, bulkRows*(bulkRows+1)/2); !strings.HasPrefix(sum, want) {
		c.Errorf("the primary has %q, want count and sum %q", sum, want)
	}
	primary.Do(bulkRefillSQL)
	c.wantSame("table emptied and refilled in one transaction", []string{"7"}, bulkIDsSQL)
}

const (
	undoneRows    = 200_000
	undoneSizeSQL = `SELECT pg_relation_size('bulk')`
)

func rollbackLeavesNothing(c *C) {
	primary := c.writer()
	primary.Do(bulkTableSQL)
	primary.Do(barrierTableSQL)
	primary.Do(`BEGIN`)
	primary.Do(bulkFillSQL, undoneRows)
	primary.Do(`ROLLBACK`)
	primary.Do(forceFlushSQL)
	c.wantSame("rows rolled back", []string{"0"}, bulkSumSQL)
	for _, node := range c.Pair().Standbys {
		if size := Value[int64](c.on(node), undoneSizeSQL); size == 0 {
			c.Errorf("%s has no page of the table: the rows have not arrived, so it proves nothing that none is seen", node.Name())
		}
	}
}
