package conformance

import (
	"fmt"
	"strings"
)

func propagationIndexes() []Check {
	return []Check{
		{
			ID: "propagation/indexes",
			Obligation: "Indexes of every access method, built in one go, concurrently or anew, must be used on the standby " +
				"and find what a sequential scan finds.",
			Level:  Must,
			Source: "PostgreSQL documentation, Indexes; Hot Standby",
			Run:    indexesArrive,
		},
		{
			ID:         "propagation/indexes-verify",
			Obligation: "B-tree indexes should pass the verification of the extension amcheck on the standby.",
			Level:      Should,
			Needs:      Needs{Superuser: true},
			Source:     "PostgreSQL documentation, amcheck",
			Run:        indexesVerify,
		},
	}
}

const (
	// indexedSQL makes rows before and leaves room for rows after the indexes are built.
	indexedSQL = `
CREATE TABLE indexed (id int, word text, tags int[], place point, span int4range, day int) WITH (autovacuum_enabled = off);
ALTER TABLE indexed REPLICA IDENTITY FULL`
	indexedRowsSQL = `
INSERT INTO indexed
SELECT i, md5(i::text), ARRAY[i % 50, i % 7 + 100], point(i % 40, i / 40), int4range(i, i + 5), i / 10
  FROM generate_series($1::int, $2::int) AS i`
	indexedChangeSQL = `
UPDATE indexed SET word = md5('changed' || id), tags = tags || 999, place = place + point(0.5, 0.5), span = int4range(id, id + 6), day = day + 1
 WHERE id % 10 = 0;
DELETE FROM indexed WHERE id % 11 = 0`
)

// indexSample is an index, how it is built, and a condition that it serves.
type indexSample struct {
	name, method, build, condition string
}

// indexSamples has each access method, and each way to build an index.
func indexSamples() []indexSample {
	return []indexSample{
		{"by_number", "btree", `CREATE UNIQUE INDEX by_number ON indexed USING btree (id)`, `id BETWEEN 500 AND 700`},
		{"by_word", "hash", `CREATE INDEX by_word ON indexed USING hash (word)`, `word = md5('changed500')`},
		{"by_tags", "gin", `CREATE INDEX by_tags ON indexed USING gin (tags)`, `tags @> ARRAY[999, 30]`},
		{"by_place", "gist", `CREATE INDEX by_place ON indexed USING gist (place)`, `place <@ box '((5, 5), (9, 9))'`},
		{"by_span", "spgist", `CREATE INDEX by_span ON indexed USING spgist (span)`, `span @> 1000`},
		{"by_day", "brin", `CREATE INDEX by_day ON indexed USING brin (day) WITH (pages_per_range = 1)`, `day = 77`},
		{"by_next", "btree", `CREATE INDEX CONCURRENTLY by_next ON indexed ((id + 1))`, `id + 1 = 1235`},
		{"by_upper", "btree", `CREATE INDEX by_upper ON indexed (upper(word)); REINDEX INDEX by_upper`, `upper(word) = upper(md5('1234'))`},
		{"by_double", "btree", `CREATE INDEX by_double ON indexed ((day * 2))`, `day * 2 = 200`},
	}
}

const (
	reindexSQL      = `REINDEX INDEX CONCURRENTLY by_double`
	indexOnlySQL    = `SET enable_seqscan = off; SET enable_bitmapscan = on; SET enable_indexscan = on`
	sequentialSQL   = `SET enable_seqscan = on; SET enable_bitmapscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off`
	indexedFoundSQL = `SELECT concat_ws(' ', id, word, tags, place, span, day) FROM indexed WHERE %s ORDER BY id`
	accessMethodSQL = `
SELECT amname || ' ' || indisvalid
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
 WHERE indexrelid = $1::text::regclass`
	duplicateDaysSQL = `CREATE UNIQUE INDEX CONCURRENTLY never_valid ON indexed (day)`
)

func indexesArrive(c *C) {
	primary := c.writer()
	primary.Do(indexedSQL)
	primary.Do(indexedRowsSQL, 1, 2000)
	samples := indexSamples()
	for _, sample := range samples {
		primary.Do(sample.build)
	}
	// Entries that are added to an index are other WAL records than those of its building.
	primary.Do(indexedRowsSQL, 2001, 3000)
	primary.Do(indexedChangeSQL)
	primary.Do(reindexSQL)
	const uniqueViolation = "23505"
	primary.Refuses(uniqueViolation, duplicateDaysSQL)

	c.wantSame("index left invalid", []string{"btree false"}, accessMethodSQL, "never_valid")
	found := map[string][]string{}
	for _, sample := range samples {
		c.wantSame("access method of "+sample.name, []string{sample.method + " true"}, accessMethodSQL, sample.name)
		found[sample.name] = c.same("rows found by "+sample.name, fmt.Sprintf(indexedFoundSQL, sample.condition))
	}
	for _, node := range c.Pair().Standbys {
		for _, scan := range []struct{ settings, plan string }{
			{indexOnlySQL, "%s"},
			{sequentialSQL, "Seq Scan on indexed"},
		} {
			// A session of its own: settings of the planner do not reach plans that a session keeps.
			standby := c.Borrow(node)
			standby.Do(scan.settings)
			for _, sample := range samples {
				sql := fmt.Sprintf(indexedFoundSQL, sample.condition)
				wanted := strings.ReplaceAll(scan.plan, "%s", sample.name)
				if plan := explain(standby, sql); !strings.Contains(plan, wanted) {
					c.Errorf("%s: the plan of %q has no %q: %s", node.Name(), sql, wanted, shorten(plan))
				}
				if difference := firstDifference(found[sample.name], Column[string](standby, sql)); difference != "" {
					c.Errorf("%s: %q by %q: %s", node.Name(), sql, wanted, difference)
				}
			}
		}
	}
}

func explain(s *Session, sql string) string {
	return strings.Join(Column[string](s, `EXPLAIN (COSTS OFF) `+sql), "\n")
}
