package conformance

// standbyDefinitionChecks: statements that change the catalog or rebuild
// storage.
func standbyDefinitionChecks() []Check {
	return []Check{
		{
			ID:         "standby/refuses-definitions",
			Obligation: "A standby must refuse every definition of relations, types, schemas and functions with SQLSTATE 25006, even one that would change nothing.",
			Level:      Must, Source: hotStandby, Run: refusesDefinitions,
		},
		{
			ID:         "standby/refuses-cluster-definitions",
			Obligation: "A standby must refuse every definition of roles, rights, databases and tablespaces with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesClusterDefinitions,
		},
		{
			ID:         "standby/refuses-temporary-tables",
			Obligation: "A standby must refuse temporary tables with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesTemporaryTables,
		},
		{
			ID:         "standby/refuses-maintenance",
			Obligation: "A standby must refuse VACUUM, ANALYZE, CLUSTER and REINDEX with SQLSTATE 25006.",
			Level:      Must, Source: hotStandby, Run: refusesMaintenance,
		},
	}
}

const (
	matviewSQL = `CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a`
	enumSQL    = `CREATE TYPE mood AS ENUM ('a', 'b')`
)

// Objects that a refused statement would make, change or drop outside the
// check's schema do not exist under these names, so that nothing is harmed
// where the refusal fails.

func refusesDefinitions(c *C) {
	c.replayed(tableSQL, tableRowSQL, matviewSQL, enumSQL).try(
		refused("25006", `SELECT * INTO t2 FROM t`),
		refused("25006", `CREATE TABLE x (a int)`),
		refused("25006", `CREATE TABLE IF NOT EXISTS t (a int)`),
		refused("25006", `CREATE TABLE as_x AS SELECT 1`),
		refused("25006", `CREATE UNLOGGED TABLE x (a int)`),
		refused("25006", `CREATE INDEX ON t (v)`),
		refused("25006", `CREATE INDEX CONCURRENTLY ON t (v)`),
		refused("25006", `DROP INDEX t_pkey`),
		refused("25006", `DROP TABLE t`),
		refused("25006", `DROP TABLE IF EXISTS absent`),
		refused("25006", `ALTER TABLE t ADD c int`),
		refused("25006", `ALTER TABLE IF EXISTS absent ADD c int`),
		refused("25006", `ALTER TABLE t RENAME TO t3`),
		refused("25006", `CREATE SEQUENCE x`),
		refused("25006", `CREATE SCHEMA conformance_absent`),
		refused("25006", `CREATE VIEW x AS SELECT 1`),
		refused("25006", `CREATE RULE r AS ON UPDATE TO t DO NOTHING`),
		refused("25006", `CREATE POLICY p ON t`),
		refused("25006", `CREATE DOMAIN d AS int`),
		refused("25006", `CREATE AGGREGATE a (int) (SFUNC = int4pl, STYPE = int)`),
		refused("25006", `CREATE FUNCTION ff() RETURNS int LANGUAGE sql AS 'SELECT 1'`),
		refused("25006", `CREATE PROCEDURE pp() LANGUAGE sql AS 'SELECT 1'`),
		refused("25006", `CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`),
		refused("25006", `CREATE EVENT TRIGGER conformance_absent ON ddl_command_start EXECUTE FUNCTION absent()`),
		refused("25006", `CREATE EXTENSION conformance_absent`),
		refused("25006", `CREATE COLLATION k FROM "C"`),
		refused("25006", `CREATE STATISTICS st ON id, v FROM t`),
		refused("42601", `CREATE STATISTICS ON id, v FROM t`).upTo15(),
		refused("25006", `CREATE STATISTICS ON id, v FROM t`).from(160000),
		refused("25006", `CREATE TYPE y AS (a int)`),
		refused("25006", `ALTER TYPE mood ADD VALUE 'c'`),
		refused("25006", `COMMENT ON TABLE t IS 'x'`),
		refused("25006", `SECURITY LABEL ON TABLE t IS 'x'`),
		refused("25006", `REFRESH MATERIALIZED VIEW mv`),
		refused("25006", `CREATE PUBLICATION conformance_absent`),
		refused("25006", `CREATE SUBSCRIPTION conformance_absent CONNECTION 'dbname=x' PUBLICATION y WITH (connect = false)`),
		refused("25006", `CREATE FOREIGN DATA WRAPPER conformance_absent`),
		refused("25006", `CREATE SERVER conformance_absent FOREIGN DATA WRAPPER conformance_absent`),
		refused("25006", `IMPORT FOREIGN SCHEMA a FROM SERVER conformance_absent INTO c`),
	)
}

func refusesClusterDefinitions(c *C) {
	c.replayed(tableSQL).try(
		refused("25006", `CREATE ROLE conformance_absent`),
		refused("25006", `ALTER ROLE conformance_absent PASSWORD 'y'`),
		refused("25006", `ALTER ROLE conformance_absent SET work_mem = '4MB'`),
		refused("25006", `ALTER ROLE conformance_absent RENAME TO conformance_absent_2`),
		refused("25006", `DROP ROLE conformance_absent`),
		refused("25006", `DROP ROLE IF EXISTS conformance_absent`),
		refused("25006", `GRANT conformance_absent TO conformance_absent_2`),
		refused("25006", `GRANT SELECT ON t TO PUBLIC`),
		refused("25006", `REVOKE SELECT ON t FROM PUBLIC`),
		refused("25006", `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO conformance_absent`),
		refused("25006", `REASSIGN OWNED BY conformance_absent TO conformance_absent_2`),
		refused("25006", `DROP OWNED BY conformance_absent`),
		refused("25006", `CREATE DATABASE conformance_absent`),
		refused("25006", `DROP DATABASE conformance_absent`),
		refused("25006", `DROP DATABASE IF EXISTS conformance_absent`),
		refused("25006", `ALTER DATABASE conformance_absent SET work_mem = '4MB'`),
		refused("25006", `ALTER DATABASE conformance_absent RENAME TO conformance_absent_2`),
		refused("25006", `CREATE TABLESPACE conformance_absent LOCATION '/conformance_absent'`),
		refused("25006", `DROP TABLESPACE conformance_absent`),
	)
}

func refusesTemporaryTables(c *C) {
	c.replayed(tableSQL).try(
		refused("25006", `CREATE TEMP TABLE x (a int)`),
		refused("25006", `CREATE TEMP TABLE IF NOT EXISTS x (a int) ON COMMIT DROP`),
		refused("25006", `CREATE TEMP TABLE x AS SELECT * FROM t`),
		refused("25006", `SELECT * INTO TEMP x FROM t`),
		refused("25006", `CREATE TEMP VIEW x AS SELECT 1`),
		refused("25006", `CREATE TEMP SEQUENCE x`),
		refused("25006", `BEGIN`, `CREATE TEMP TABLE x (a int)`),
	)
}

func refusesMaintenance(c *C) {
	c.replayed(tableSQL, tableRowSQL).try(
		refused("25006", `ANALYZE`),
		refused("25006", `ANALYZE t`),
		refused("25006", `VACUUM`),
		refused("25006", `VACUUM t`),
		refused("25006", `VACUUM FULL t`),
		refused("25006", `VACUUM (FREEZE, ANALYZE) t`),
		refused("25006", `CLUSTER t USING t_pkey`),
		refused("25006", `CLUSTER`),
		refused("25006", `REINDEX TABLE t`),
		refused("25006", `REINDEX INDEX t_pkey`),
		refused("25006", `REINDEX INDEX CONCURRENTLY t_pkey`),
	)
}
