package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationDatabases() []Check {
	return []Check{{
		ID: "propagation/databases",
		Obligation: "A database created on the primary, whether its template is copied through the WAL or as files, " +
			"should be on the standby with its content, and be gone there once dropped.",
		Level:  Should,
		Needs:  Needs{Superuser: true},
		Source: "PostgreSQL documentation, CREATE DATABASE; Hot Standby",
		Limit:  3 * time.Minute,
		Run:    databasesArrive,
	}}
}

const (
	createDatabaseSQL  = `CREATE DATABASE %s TEMPLATE %s`
	strategySQL        = ` STRATEGY %s`
	dropDatabaseSQL    = `DROP DATABASE IF EXISTS %s WITH (FORCE)`
	databaseSettingSQL = `ALTER DATABASE %s SET work_mem = '5MB'`
	databaseTableSQL   = `CREATE TABLE inside AS SELECT i AS id, md5(i::text) AS word FROM generate_series(1, 500) AS i`
	databaseSumSQL     = `SELECT concat_ws(' ', count(*), md5(string_agg(word, ',' ORDER BY id)), current_setting('work_mem')) FROM inside`
	databaseRowSQL     = `
SELECT concat_ws(' ', d.oid, datname, encoding, datcollate, datctype, datconnlimit, setconfig)
  FROM pg_database AS d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid
 WHERE datname = $1`
	databaseCountSQL = `SELECT count(*)::text FROM pg_database WHERE datname = $1`
	majorVersionSQL  = `SELECT current_setting('server_version_num')::int / 10000`
)

// databasesArrive makes a database from template0, puts a table into it, and
// makes a second one from the first. Before version 15 there is one way to
// copy a template, by files.
func databasesArrive(c *C) {
	primary := c.writer()
	strategies := []string{"", ""}
	if Value[int](primary, majorVersionSQL) >= 15 {
		strategies = []string{"WAL_LOG", "FILE_COPY"}
	}
	template, content := "template0", ""
	for _, strategy := range strategies {
		name := c.ScratchName()
		c.Cleanup(func(ctx context.Context) error {
			return c.Pair().Primary.Exec(ctx, fmt.Sprintf(dropDatabaseSQL, name))
		})
		sql := fmt.Sprintf(createDatabaseSQL, name, template)
		if strategy != "" {
			sql += fmt.Sprintf(strategySQL, strategy)
		}
		primary.Do(sql)
		primary.Do(fmt.Sprintf(databaseSettingSQL, name))
		c.same("database", databaseRowSQL, name)
		if content == "" {
			content = c.inDatabase(c.Pair().Primary, name, databaseTableSQL)
			c.Replay()
		}
		for _, node := range c.Pair().Standbys {
			if got := c.inDatabase(node, name, ""); got != content {
				c.Errorf("%s: content of database %s, made %s from %s, is %q, must be %q", node.Name(), name, strategy, template, got, content)
			}
		}
		template = name
	}
	primary.Do(fmt.Sprintf(dropDatabaseSQL, template))
	c.wantSame("database dropped", []string{"0"}, databaseCountSQL, template)
}

// inDatabase executes a statement in a database and gives the content of its
// table. Its session ends at once: a template may have none.
func (c *C) inDatabase(node *pair.Node, database, sql string) (content string) {
	session, err := node.Connect(c.ctx, pair.InDatabase(database), pair.WithParameter("synchronous_commit", "local"))
	if err != nil {
		c.Fatalf("database %s: %v", database, err)
	}
	_, err = session.Exec(c.ctx, sql)
	if err == nil {
		err = session.QueryRow(c.ctx, databaseSumSQL).Scan(&content)
	}
	if err := errors.Join(err, session.Close(c.ctx)); err != nil {
		c.Fatalf("database %s on %s: %v", database, node.Name(), err)
	}
	return content
}
