package conformance

// definition is one change of definitions. Its proof is a query that gives
// true where the change is in force, and nothing of the sort before it.
type definition struct {
	what, sql, proof string
}

// definedBeforeSQL makes what the definitions change, rename and drop.
const definedBeforeSQL = `
CREATE TABLE base (id int, small int, note text, hidden int);
INSERT INTO base SELECT i, i, 'note ' || i, i FROM generate_series(1, 20) AS i;
CREATE TABLE old_name (old_column int);
CREATE TABLE doomed (id int);
CREATE VIEW doomed_view AS SELECT 1 AS one;
CREATE VIEW changed_view AS SELECT 1 AS one;
CREATE FUNCTION doomed_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION changed_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE source (id int);
INSERT INTO source SELECT generate_series(1, 6);
CREATE MATERIALIZED VIEW refreshed AS SELECT id FROM source;
CREATE UNIQUE INDEX ON refreshed (id);
CREATE TYPE doomed_type AS ENUM ('x');
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE measured (day int, value int) PARTITION BY RANGE (day);
CREATE TABLE measured_0 PARTITION OF measured FOR VALUES FROM (0) TO (10);
CREATE TABLE measured_1 (day int, value int);
INSERT INTO measured VALUES (1, 1);
INSERT INTO measured_1 VALUES (11, 11)`

func definitions() []definition {
	const hasColumn = `SELECT EXISTS (SELECT FROM pg_attribute WHERE NOT attisdropped AND `
	return []definition{
		// Tables and columns.
		{"CREATE TABLE", `CREATE TABLE made (id int PRIMARY KEY)`, `SELECT to_regclass('made') IS NOT NULL`},
		{"CREATE TABLE AS", `CREATE TABLE filled AS SELECT * FROM base`, `SELECT count(*) = 20 FROM filled`},
		{
			"ALTER TABLE that rewrites", `ALTER TABLE base ALTER COLUMN small TYPE text USING 'was ' || small`,
			`SELECT count(*) = 20 FROM base WHERE small::text = 'was ' || id`,
		},
		{"ADD COLUMN with a default", `ALTER TABLE base ADD COLUMN added int DEFAULT 7`, `SELECT sum(added) = 140 FROM base`},
		{
			"ADD COLUMN with a volatile default, which rewrites", `ALTER TABLE base ADD COLUMN made_at timestamptz DEFAULT clock_timestamp()`,
			`SELECT count(made_at) = 20 FROM base`,
		},
		{
			"DROP COLUMN", `ALTER TABLE base DROP COLUMN hidden`,
			`SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'base'::regclass AND attname = 'hidden')`,
		},
		{"generated column", `ALTER TABLE base ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED`, `SELECT sum(twice) = 420 FROM base`},
		{"SET DEFAULT", `ALTER TABLE base ALTER COLUMN note SET DEFAULT 'none'`, hasColumn + `attrelid = 'base'::regclass AND attname = 'note' AND atthasdef)`},
		{"SET NOT NULL", `ALTER TABLE base ALTER COLUMN note SET NOT NULL`, hasColumn + `attrelid = 'base'::regclass AND attname = 'note' AND attnotnull)`},
		{"SET STORAGE", `ALTER TABLE base ALTER COLUMN note SET STORAGE EXTERNAL`, hasColumn + `attrelid = 'base'::regclass AND attname = 'note' AND attstorage = 'e')`},
		{"storage parameter", `ALTER TABLE base SET (fillfactor = 50)`, `SELECT reloptions @> ARRAY['fillfactor=50'] FROM pg_class WHERE oid = 'base'::regclass`},
		{"RENAME TABLE", `ALTER TABLE old_name RENAME TO new_name`, `SELECT to_regclass('new_name') IS NOT NULL AND to_regclass('old_name') IS NULL`},
		{"RENAME COLUMN", `ALTER TABLE new_name RENAME COLUMN old_column TO new_column`, hasColumn + `attrelid = 'new_name'::regclass AND attname = 'new_column')`},
		{"DROP TABLE", `DROP TABLE doomed`, `SELECT to_regclass('doomed') IS NULL`},
		{"COMMENT", `COMMENT ON TABLE base IS 'explained'`, `SELECT obj_description('base'::regclass) = 'explained'`},

		// Constraints, indexes, statistics, partitions, inheritance.
		{"PRIMARY KEY", `ALTER TABLE base ADD PRIMARY KEY (id)`, `SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = 'base'::regclass AND indisprimary)`},
		{
			"CHECK, not validated", `ALTER TABLE base ADD CONSTRAINT positive CHECK (id > 0) NOT VALID`,
			`SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'base'::regclass AND conname = 'positive')`,
		},
		{
			"VALIDATE CONSTRAINT", `ALTER TABLE base VALIDATE CONSTRAINT positive`,
			`SELECT convalidated FROM pg_constraint WHERE conrelid = 'base'::regclass AND conname = 'positive'`,
		},
		{
			"FOREIGN KEY", `ALTER TABLE new_name ADD FOREIGN KEY (new_column) REFERENCES base ON DELETE SET NULL`,
			`SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'new_name'::regclass AND contype = 'f')`,
		},
		{
			"EXCLUDE", `ALTER TABLE made ADD COLUMN span int4range, ADD EXCLUDE USING gist (span WITH &&)`,
			`SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'made'::regclass AND contype = 'x')`,
		},
		{
			"partial index on an expression", `CREATE INDEX base_lower ON base (lower(note)) WHERE id > 5`,
			`SELECT pg_get_indexdef('base_lower'::regclass) LIKE '%lower(note)%WHERE (id > 5)'`,
		},
		{
			"extended statistics", `CREATE STATISTICS related (dependencies) ON id, note FROM base`,
			`SELECT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = 'base'::regclass AND stxname = 'related')`,
		},
		{
			"ATTACH PARTITION", `ALTER TABLE measured ATTACH PARTITION measured_1 FOR VALUES FROM (10) TO (20)`,
			`SELECT sum(value) = 11 FROM measured WHERE day > 10`,
		},
		{"DETACH PARTITION", `ALTER TABLE measured DETACH PARTITION measured_0`, `SELECT count(*) = 1 FROM measured`},
		{"INHERITS", `CREATE TABLE heir () INHERITS (base)`, `SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'base'::regclass)`},

		// Views, functions, triggers, rules.
		{"CREATE VIEW", `CREATE VIEW seen AS SELECT id FROM base WHERE id <= 5`, `SELECT count(*) = 5 FROM seen`},
		{"CREATE OR REPLACE VIEW", `CREATE OR REPLACE VIEW changed_view AS SELECT 2 AS one`, `SELECT one = 2 FROM changed_view`},
		{"DROP VIEW", `DROP VIEW doomed_view`, `SELECT to_regclass('doomed_view') IS NULL`},
		{"CREATE MATERIALIZED VIEW", `CREATE MATERIALIZED VIEW kept AS SELECT id FROM seen`, `SELECT count(*) = 5 FROM kept`},
		{
			"REFRESH MATERIALIZED VIEW CONCURRENTLY",
			`INSERT INTO source VALUES (7); REFRESH MATERIALIZED VIEW CONCURRENTLY refreshed`, `SELECT count(*) = 7 FROM refreshed`,
		},
		{"CREATE FUNCTION", `CREATE FUNCTION doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'`, `SELECT doubled(21) = 42`},
		{
			"CREATE OR REPLACE FUNCTION", `CREATE OR REPLACE FUNCTION changed_function() RETURNS int LANGUAGE sql AS 'SELECT 2'`,
			`SELECT changed_function() = 2`,
		},
		{"DROP FUNCTION", `DROP FUNCTION doomed_function()`, `SELECT to_regproc('doomed_function') IS NULL`},
		{"CREATE PROCEDURE", `CREATE PROCEDURE done() LANGUAGE plpgsql AS 'BEGIN END'`, `SELECT prokind = 'p' FROM pg_proc WHERE oid = to_regproc('done')`},
		{"CREATE AGGREGATE", `CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')`, `SELECT total(i) = 6 FROM generate_series(1, 3) AS i`},
		{"CREATE OPERATOR", `CREATE OPERATOR @+@ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)`, `SELECT 40 @+@ 2 = 42`},
		{
			"CREATE TRIGGER", `CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
				CREATE TRIGGER fires BEFORE UPDATE ON base FOR EACH ROW EXECUTE FUNCTION fired()`,
			`SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'base'::regclass AND tgname = 'fires')`,
		},
		{
			"DISABLE TRIGGER", `ALTER TABLE base DISABLE TRIGGER fires`,
			`SELECT tgenabled = 'D' FROM pg_trigger WHERE tgrelid = 'base'::regclass AND tgname = 'fires'`,
		},
		{
			"CREATE RULE", `CREATE RULE swallowed AS ON INSERT TO new_name DO INSTEAD NOTHING`,
			`SELECT EXISTS (SELECT FROM pg_rules WHERE schemaname = current_schema() AND rulename = 'swallowed')`,
		},

		// Types and what belongs to them.
		{"CREATE DOMAIN", `CREATE DOMAIN positive_int AS int CHECK (VALUE > 0)`, `SELECT 5::positive_int = 5`},
		{"CREATE TYPE AS ENUM", `CREATE TYPE colour AS ENUM ('red', 'green')`, `SELECT 'red'::colour < 'green'::colour`},
		{"ALTER TYPE ADD VALUE", `ALTER TYPE mood ADD VALUE 'calm' BEFORE 'happy'`, `SELECT enum_range(NULL::mood)::text = '{sad,calm,happy}'`},
		{"CREATE TYPE, composite", `CREATE TYPE extent AS (width int, height int)`, `SELECT (ROW (3, 4)::extent).height = 4`},
		{"CREATE TYPE AS RANGE", `CREATE TYPE textrange AS RANGE (SUBTYPE = text, COLLATION = "C")`, `SELECT 'b'::text <@ textrange('a', 'c')`},
		{"DROP TYPE", `DROP TYPE doomed_type`, `SELECT to_regtype('doomed_type') IS NULL`},
		{"CREATE CAST", `CREATE CAST (extent AS text) WITH INOUT`, `SELECT EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype('extent'))`},
		{"CREATE COLLATION", `CREATE COLLATION plain FROM "C"`, `SELECT 'B' < 'a' COLLATE plain`},
		{"CREATE TEXT SEARCH CONFIGURATION", `CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)`, `SELECT to_tsvector('words', 'Hello') @@ 'hello'`},
		{"CREATE SEQUENCE", `CREATE SEQUENCE counted INCREMENT BY 3`, `SELECT seqincrement = 3 FROM pg_sequence WHERE seqrelid = to_regclass('counted')`},
		{"identity column", `ALTER TABLE made ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY`, hasColumn + `attrelid = 'made'::regclass AND attidentity = 'a')`},

		// Rights.
		{"GRANT", `GRANT SELECT ON base TO PUBLIC`, `SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) WHERE oid = 'base'::regclass AND grantee = 0)`},
		{"REVOKE", `REVOKE EXECUTE ON FUNCTION doubled(int) FROM PUBLIC`, `SELECT proacl IS NOT NULL FROM pg_proc WHERE oid = 'doubled'::regproc`},
		{
			"CREATE POLICY", `ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON base USING (id < 3)`,
			`SELECT EXISTS (SELECT FROM pg_policies WHERE schemaname = current_schema() AND policyname = 'few')`,
		},
		{"REPLICA IDENTITY", `ALTER TABLE base REPLICA IDENTITY FULL`, `SELECT relreplident = 'f' FROM pg_class WHERE oid = 'base'::regclass`},
	}
}
