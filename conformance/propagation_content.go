package conformance

import "strings"

func propagationContent() []Check {
	return []Check{{
		ID: "propagation/content-equal-at-lsn",
		Obligation: "Once the standby has replayed what the primary wrote, every logged table, partition, materialized view " +
			"and sequence must hold the same content on both.",
		Level:  Must,
		Source: "PostgreSQL documentation, Log-Shipping Standby Servers; PostgreSQL's own recovery tests",
		Run:    contentEqual,
	}}
}

// sampleRelations is how many relations sampleSQL makes that hold logged rows.
const sampleRelations = 14

// sampleSQL makes relations of every kind, with rows that were inserted,
// updated, deleted, moved between partitions and rewritten.
const sampleSQL = `
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TYPE size AS (width int, height int);
CREATE TABLE plain (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number serial,
  note text,
  gone int,
  shade colour,
  extent size,
  tags text[],
  data jsonb,
  doubled bigint GENERATED ALWAYS AS (length(note) * 2) STORED);
INSERT INTO plain (note, gone, shade, extent, tags, data)
SELECT repeat(md5(i::text), i % 5), i, (enum_range(NULL::colour))[i % 3 + 1], ROW (i, -i)::size,
       ARRAY[i::text, NULL, 'ü'], jsonb_build_object('i', i, 'list', jsonb_build_array(i, NULL))
  FROM generate_series(1, 200) AS i;
UPDATE plain SET note = note || ' updated' WHERE id % 3 = 0;
DELETE FROM plain WHERE id % 7 = 0;
ALTER TABLE plain DROP COLUMN gone, ADD COLUMN added int DEFAULT 42;

CREATE TABLE wide (id int PRIMARY KEY, body text);
ALTER TABLE wide ALTER COLUMN body SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, repeat(md5(i::text), 500) FROM generate_series(1, 10) AS i;

CREATE TABLE measured (day date, value numeric) PARTITION BY RANGE (day);
CREATE TABLE measured_early PARTITION OF measured FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE measured_late PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO (MAXVALUE) PARTITION BY HASH (value);
CREATE TABLE measured_late_0 PARTITION OF measured_late FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE measured_late_1 PARTITION OF measured_late FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE measured_early REPLICA IDENTITY FULL;
ALTER TABLE measured_late_0 REPLICA IDENTITY FULL;
ALTER TABLE measured_late_1 REPLICA IDENTITY FULL;
INSERT INTO measured SELECT '2019-12-01'::date + i, i / 3.0 FROM generate_series(1, 90) AS i;
UPDATE measured SET day = day + 60 WHERE day < '2019-12-10';

CREATE TABLE ancestor (id int, note text);
CREATE TABLE descendant (extra int) INHERITS (ancestor);
INSERT INTO ancestor VALUES (1, 'ancestor');
INSERT INTO descendant VALUES (2, 'descendant', 3);

CREATE MATERIALIZED VIEW totals AS SELECT date_trunc('month', day) AS month, sum(value) FROM measured GROUP BY 1;
UPDATE measured SET value = value + 1 WHERE value < 5;
REFRESH MATERIALIZED VIEW totals;

CREATE TABLE rewritten (id int, note text);
INSERT INTO rewritten SELECT i, 'row ' || i FROM generate_series(1, 50) AS i;
ALTER TABLE rewritten ALTER COLUMN id TYPE bigint USING id * 10;

CREATE SEQUENCE counter START 100 INCREMENT BY -5 MINVALUE -1000 MAXVALUE 100 CACHE 3`

// settleSequencesSQL sets each sequence to its own next value: only setval
// writes the exact value to the WAL, nextval writes one further on.
const settleSequencesSQL = `
SELECT setval(oid::regclass, nextval(oid::regclass))
  FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'`

// contentQueriesSQL gives for each logged relation of the schema with rows of
// its own the query that hashes them.
const contentQueriesSQL = `
SELECT format($$SELECT format('%%s: %%s rows, md5 %%s', %L, count(*), md5(string_agg(r::text, E'\n' ORDER BY r::text COLLATE "C"))) FROM (SELECT * FROM %s) AS r$$,
              relname, oid::regclass)
  FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace
   AND relkind IN ('r', 'p', 'm', 'S') AND relpersistence = 'p'
 ORDER BY relname`

func contentEqual(c *C) {
	primary := c.writer()
	c.plainOutput()
	primary.Do(sampleSQL)
	primary.Do(settleSequencesSQL)
	queries := c.same("list of relations", contentQueriesSQL)
	if len(queries) != sampleRelations {
		c.Fatalf("sample has %d relations, want %d: %q", len(queries), sampleRelations, queries)
	}
	hashes := c.same("content of relations", strings.Join(queries, "\n UNION ALL "))
	for _, hash := range hashes {
		if strings.Contains(hash, ": 0 rows") {
			c.Errorf("nothing to compare in %s", hash)
		}
	}
	lsn, err := c.Pair().Primary.CurrentLSN(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.Logf("compared at %s: %s", lsn, strings.Join(hashes, "; "))
	c.Measure("relations", float64(len(hashes)), "")
}
