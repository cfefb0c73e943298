package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationVacuum() []Check {
	const source = "PostgreSQL documentation, Routine Vacuuming; Log-Shipping Standby Servers"
	return []Check{
		{
			ID:         "propagation/vacuum",
			Obligation: "VACUUM, its variants FULL and FREEZE, and CLUSTER must leave files of the same size, the same freeze limits and the same rows on the standby.",
			Level:      Must,
			Source:     source,
			Run:        vacuumArrives,
		},
		{
			ID:         "propagation/vacuum-truncates",
			Obligation: "Pages that VACUUM cuts off the end of a table must go on the standby too, and rows written there afterwards must be seen.",
			Level:      Must,
			Source:     source,
			Run:        vacuumTruncates,
		},
	}
}

const (
	vacuumedSQL = `
CREATE TABLE vacuumed (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = off)`
	vacuumedRowsSQL = `
INSERT INTO vacuumed SELECT i, repeat('x', 100) FROM generate_series($1::int, $2::int) AS i`
	vacuumedDeadSQL = `DELETE FROM vacuumed WHERE id % 2 = 0`
	vacuumedSumSQL  = `SELECT concat_ws(' ', count(*), sum(id), md5(string_agg(v::text, ',' ORDER BY ctid))) FROM vacuumed AS v`

	// vacuumedStateSQL has the rows' place too: ctid is where a row is stored.
	vacuumedStateSQL = `
SELECT concat_ws(' ', relname, relfilenode, relpages, reltuples, relallvisible, relfrozenxid, relminmxid, pg_relation_size(oid))
  FROM pg_class WHERE oid IN ('vacuumed'::regclass, 'vacuumed_pkey'::regclass)
 ORDER BY relname`
	vacuumedFileSQL   = `SELECT relfilenode::int8 FROM pg_class WHERE oid = 'vacuumed'::regclass`
	vacuumedFrozenSQL = `SELECT age(relfrozenxid) FROM pg_class WHERE oid = 'vacuumed'::regclass`
	vacuumedSizeSQL   = `SELECT pg_relation_size('vacuumed')`
)

// horizonLimit is how long what VACUUM may touch can lag behind the oldest
// snapshot: a standby with hot_standby_feedback tells of its own only every
// wal_receiver_status_interval, 10 s by default.
const horizonLimit = 15 * time.Second

func vacuumArrives(c *C) {
	primary := c.writer()
	primary.Do(vacuumedSQL)
	primary.Do(vacuumedRowsSQL, 1, 2000)
	primary.Do(vacuumedDeadSQL)
	primary.Do(barrierTableSQL)
	look := func(what string) {
		// VACUUM ends without waiting for its last records to be flushed.
		primary.Do(forceFlushSQL)
		c.same("files after "+what, vacuumedStateSQL)
		c.same("rows after "+what, vacuumedSumSQL)
	}
	primary.Do(`VACUUM vacuumed`)
	look("VACUUM")
	// New rows go where VACUUM has made room.
	primary.Do(vacuumedRowsSQL, 3001, 3500)
	look("INSERT into the room that VACUUM made")

	for _, rewrite := range []string{`VACUUM FULL vacuumed`, `CLUSTER vacuumed USING vacuumed_pkey`} {
		file := Value[int64](primary, vacuumedFileSQL)
		primary.Do(rewrite)
		if Value[int64](primary, vacuumedFileSQL) == file {
			c.Errorf("%s did not write a new file: it proves nothing", rewrite)
		}
		look(rewrite)
	}
	age := Value[int32](primary, vacuumedFrozenSQL)
	c.Eventually("VACUUM FREEZE moves the table's oldest transaction id on", horizonLimit, func(context.Context) (bool, string, error) {
		primary.Do(`VACUUM (FREEZE, ANALYZE) vacuumed`)
		frozen := Value[int32](primary, vacuumedFrozenSQL)
		return frozen <= age, fmt.Sprintf("age %d, it was %d", frozen, age), nil
	})
	look("VACUUM (FREEZE, ANALYZE)")
}

// vacuumTruncates tries again while somebody's older snapshot keeps the
// deleted rows alive: VACUUM may not cut off pages that hold them.
func vacuumTruncates(c *C) {
	primary := c.writer()
	primary.Do(vacuumedSQL)
	primary.Do(vacuumedRowsSQL, 1, 2000)
	primary.Do(barrierTableSQL)
	c.same("table before VACUUM", vacuumedStateSQL)
	before := Value[int64](primary, vacuumedSizeSQL)
	primary.Do(`DELETE FROM vacuumed WHERE id > 10`)
	ctx, cancel := context.WithTimeoutCause(c.ctx, horizonLimit, fmt.Errorf("not within %s", horizonLimit))
	defer cancel()
	err := pair.Poll(ctx, 20*time.Millisecond, func(context.Context) (bool, error) {
		primary.Do(`VACUUM vacuumed`)
		return Value[int64](primary, vacuumedSizeSQL) < before, nil
	})
	switch {
	case errors.Is(err, context.Canceled):
		c.Fatalf("%v", err)
	case err != nil:
		c.Skipf("VACUUM cut nothing off the table, somebody's open transaction still needs the deleted rows: %v", err)
	}
	primary.Do(forceFlushSQL)
	c.same("files after VACUUM cut off pages", vacuumedStateSQL)
	c.wantSame("rows after VACUUM cut off pages", []string{"10 55"}, `SELECT concat_ws(' ', count(*), sum(id)) FROM vacuumed`)
	primary.Do(vacuumedRowsSQL, 5001, 6000)
	c.same("rows written after VACUUM cut off pages", vacuumedSumSQL)
}
