package conformance

import (
	"context"
	"fmt"
	"time"
)

func propagationLocal() []Check {
	return []Check{
		{
			ID: "propagation/unlogged-and-temporary-stay-behind",
			Obligation: "Rows of unlogged and temporary tables must stay on the primary: the standby knows the tables, " +
				"but refuses to read the one with 0A000 and does not find the other (42P01).",
			Level:  Must,
			Source: "PostgreSQL documentation, CREATE TABLE; Hot Standby, User's Overview",
			Run:    localTablesStay,
		},
		{
			ID:         "propagation/notify-stays-local",
			Obligation: "A notification sent on the primary must reach the primary's listeners and nobody on the standby, where LISTEN is refused.",
			Level:      Must,
			Source:     "PostgreSQL documentation, Hot Standby, User's Overview; NOTIFY",
			Run:        notifyStays,
		},
		{
			ID:         "propagation/statistics",
			Obligation: "The planner's statistics should be equal on the standby, the cumulative statistics should be each node's own.",
			Level:      Should,
			Source:     "PostgreSQL documentation, Statistics Used by the Planner; The Cumulative Statistics System",
			Run:        statisticsArrive,
		},
	}
}

const (
	localTablesSQL = `
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE TEMPORARY TABLE passing (id int);
INSERT INTO unlogged VALUES (1), (2);
INSERT INTO passing VALUES (1)`

	loggedAgainSQL  = `ALTER TABLE unlogged SET LOGGED`
	unloggedRowsSQL = `SELECT id::text FROM unlogged ORDER BY id`
	passingRowsSQL  = `SELECT id::text FROM passing`
	persistenceSQL  = `
SELECT concat_ws(' ', relname, relpersistence) FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' OR oid = $1 ORDER BY 1`
	passingOIDSQL = `SELECT 'passing'::regclass::oid`
)

func localTablesStay(c *C) {
	const (
		featureNotSupported = "0A000"
		undefinedTable      = "42P01"
	)
	primary := c.writer()
	primary.Do(localTablesSQL)
	if rows := len(Column[string](primary, unloggedRowsSQL)) + len(Column[string](primary, passingRowsSQL)); rows != 3 {
		c.Fatalf("the primary shows %d rows of an unlogged and a temporary table, want 3", rows)
	}
	c.wantSame("catalog rows of an unlogged and a temporary table", []string{"passing t", "unlogged u"},
		persistenceSQL, Value[uint32](primary, passingOIDSQL))
	for _, node := range c.Pair().Standbys {
		c.on(node).Refuses(featureNotSupported, unloggedRowsSQL)
		c.on(node).Refuses(undefinedTable, passingRowsSQL)
	}
	primary.Do(loggedAgainSQL)
	c.wantSame("table that became a logged one", []string{"1", "2"}, unloggedRowsSQL)
}

const (
	listenSQL       = `LISTEN %s`
	notifySQL       = `SELECT pg_notify($1, 'news')`
	channelsSQL     = `SELECT count(*) FROM pg_listening_channels()`
	afterwardsSQL   = `CREATE TABLE afterwards ()`
	afterwardsIsSQL = `SELECT to_regclass('afterwards') IS NOT NULL`
)

func notifyStays(c *C) {
	const readOnly = "25006"
	channel := c.ScratchName()
	primary, listener, standby := c.writer(), c.Borrow(c.Pair().Primary), c.OnStandby()
	listener.Do(fmt.Sprintf(listenSQL, channel))
	standby.Refuses(readOnly, fmt.Sprintf(listenSQL, channel))

	primary.Do(notifySQL, channel)
	ctx, cancel := context.WithTimeoutCause(c.ctx, 10*time.Second, fmt.Errorf("no notification within 10 s"))
	defer cancel()
	notification, err := listener.WaitForNotification(ctx)
	if err != nil {
		c.Fatalf("wait for notification on the primary: %v: %v", err, context.Cause(ctx))
	}
	if notification.Channel != channel || notification.Payload != "news" {
		c.Errorf("the primary's listener got %q on %q, want %q on %q", notification.Payload, notification.Channel, "news", channel)
	}
	primary.Do(afterwardsSQL)
	c.Replay()
	// A server sends notifications before it answers the next query.
	if !Value[bool](standby, afterwardsIsSQL) {
		c.Fatalf("the standby has not replayed what was written after the notification")
	}
	if channels := Value[int64](standby, channelsSQL); channels != 0 {
		c.Errorf("the standby's session listens on %d channels, want none", channels)
	}
	now, stop := context.WithCancel(c.ctx)
	stop()
	if notification, err := standby.WaitForNotification(now); err == nil {
		c.Errorf("the standby's session has got the notification %+v", notification)
	}
}

const (
	analysedSQL = `
CREATE TABLE analysed (id int PRIMARY KEY, shade text, amount float8);
INSERT INTO analysed SELECT i, (ARRAY['red', 'green', 'blue'])[i % 3 + 1], sqrt(i) FROM generate_series(1, 50) AS i;
ANALYZE analysed`

	plannerStatisticsSQL = `
SELECT concat_ws(' ', attname, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs, histogram_bounds, correlation)
  FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'analysed'
 ORDER BY attname`

	estimateSQL   = `SELECT concat_ws(' ', relpages, reltuples) FROM pg_class WHERE oid = 'analysed'::regclass`
	insertedSQL   = `SELECT COALESCE(pg_stat_get_tuples_inserted('analysed'::regclass), 0)`
	insertedBound = 10 * time.Second
)

func statisticsArrive(c *C) {
	const rows, columns = 50, 3
	primary := c.writer()
	// A session reports its counters at its end at the latest.
	session := c.NewSession(c.Pair().Primary)
	session.Do(durableCommitsSQL)
	session.Do(analysedSQL)
	if err := session.Close(c.ctx); err != nil {
		c.Fatalf("close session: %v", err)
	}
	if got := c.same("planner statistics", plannerStatisticsSQL); len(got) != columns {
		c.Errorf("planner statistics of %d columns, want %d", len(got), columns)
	}
	c.wantSame("estimated size", []string{"1 50"}, estimateSQL)
	c.Eventually("the primary counts 50 rows inserted", insertedBound, func(context.Context) (bool, string, error) {
		inserted := Value[int64](primary, insertedSQL)
		return inserted == rows, fmt.Sprintf("%d rows", inserted), nil
	})
	for _, node := range c.Pair().Standbys {
		if inserted := Value[int64](c.on(node), insertedSQL); inserted != 0 {
			c.Errorf("%s counts %d rows inserted, which only the primary did", node.Name(), inserted)
		}
	}
}
