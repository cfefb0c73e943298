package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func promotedRelationChecks(promoted *Scene) []Check {
	const tests = "; PostgreSQL's own recovery tests"
	return []Check{
		{
			ID:         "failover/sequences-never-repeat",
			Obligation: "A promoted server must never hand out a sequence value again, and must skip at most 32 values and one cache.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "CREATE SEQUENCE"` + tests,
			Run:    sequencesNeverRepeat,
		},
		{
			ID:         "failover/unlogged-empty",
			Obligation: "An unlogged table must be empty and usable after a promotion.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "CREATE TABLE": UNLOGGED` + tests,
			Run:    unloggedEmpty,
		},
		{
			ID:         "failover/unlogged-sequence",
			Obligation: "An unlogged sequence should begin anew after a promotion, except on a minor version with a known defect.",
			Level:      Should, Needs: promotionNeeds().since(unloggedSequencesSince), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "CREATE SEQUENCE": UNLOGGED` + tests,
			Run:    unloggedSequence,
		},
		{
			ID:         "failover/prepared-transactions-survive",
			Obligation: "A prepared transaction must survive the promotion, invisible until it is committed there.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "PREPARE TRANSACTION"` + tests,
			Run:    preparedTransactionsSurvive,
		},
	}
}

// unloggedSequencesSince is the first version that has them.
const unloggedSequencesSince = 15

func (n Needs) since(major int) Needs {
	n.Since = major
	return n
}

const (
	nextCountedSQL = `SELECT nextval('counted')`
	nextCachedSQL  = `SELECT nextval('cached')`
)

func sequencesNeverRepeat(c *C) {
	// The primary has handed out 1 to 3 of each. A server logs 32 values ahead.
	const handedOut, ahead, cache = 3, 32, 10
	p := sceneOf[*promotion](c)
	session := p.on(c, p.promoted)
	for _, sequence := range []struct {
		sql  string
		last int64
	}{
		{nextCountedSQL, handedOut + ahead + 1},
		{nextCachedSQL, cache + ahead + 1},
	} {
		next := Value[int64](session, sequence.sql)
		if next <= handedOut {
			c.Errorf("%s: the promoted server hands out %d again", sequence.sql, next)
		}
		if next > sequence.last {
			c.Errorf("%s: the promoted server begins at %d, must begin at %d at the latest", sequence.sql, next, sequence.last)
		}
	}
}

func unloggedEmpty(c *C) {
	p := sceneOf[*promotion](c)
	if rows := Value[int](p.on(c, p.old), `SELECT count(*) FROM unlogged`); rows == 0 {
		c.Fatalf("the unlogged table is empty on the old primary too: that it is here proves nothing")
	}
	session := p.on(c, p.promoted)
	if rows := Value[int](session, `SELECT count(*) FROM unlogged`); rows != 0 {
		c.Errorf("the unlogged table has %d rows, whose writes were in no WAL", rows)
	}
	session.Do(`INSERT INTO unlogged VALUES (1)`)
	session.Do(`SET enable_seqscan = off`)
	if found := Value[int](session, `SELECT count(*) FROM unlogged WHERE id = 1`); found != 1 {
		c.Errorf("index of the unlogged table finds %d rows of 1", found)
	}
}

func (c *C) prepareUnloggedSequence(primary *Session) {
	if Value[int](primary, majorVersionSQL) >= unloggedSequencesSince {
		primary.Do(`CREATE UNLOGGED SEQUENCE passing`)
		primary.Do(`SELECT max(nextval('passing')) FROM generate_series(1, 3)`)
	}
}

// Version 15.20 was seen to do it right; 15.18 was seen to fail: the promoted
// server reads a page that replay never wrote. That is the server's own defect,
// which no pair can cure. Which minor versions of 16 and later have it, nobody
// has seen.
const (
	unloggedSequenceFixed = 150020
	afterFifteen          = 160000
)

func unloggedSequence(c *C) {
	const internalError = "XX000"
	p := sceneOf[*promotion](c)
	version := ask[int](c, p.promoted, versionNumberSQL)
	var next int64
	err := p.on(c, p.promoted).QueryRow(c.ctx, `SELECT nextval('passing')`).Scan(&next)
	switch {
	case pair.SQLState(err) == internalError && (version < unloggedSequenceFixed || version >= afterFifteen):
		c.Skipf("this minor version of PostgreSQL cannot use an unlogged sequence after a promotion: %v", err)
	case err != nil:
		c.Errorf("an unlogged sequence cannot be used after the promotion: %v", err)
	case next != 1:
		c.Errorf("an unlogged sequence begins at %d after the promotion, must begin at 1", next)
	}
}

const (
	maxPreparedSQL     = `SELECT current_setting('max_prepared_transactions')::int`
	preparedListedSQL  = `SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE gid = $1)`
	commitPreparedSQL  = `COMMIT PREPARED '%s'`
	rollbackInPlaceSQL = `ROLLBACK PREPARED '%s'`
	preparedRow        = 30
)

// prepareTransaction leaves a prepared transaction with a row of its own, and
// gives its name; none where the servers have no room for it.
func (c *C) prepareTransaction(primary *Session) string {
	for _, node := range c.Pair().Nodes() {
		if ask[int](c, node, maxPreparedSQL) == 0 {
			return ""
		}
	}
	name := c.ScratchName()
	primary.Do(`BEGIN`)
	primary.Do(insertKeptSQL, preparedRow, "prepared")
	primary.Do(fmt.Sprintf(`PREPARE TRANSACTION '%s'`, name))
	// On the old primary it would hold locks that the clean-up waits for.
	c.Cleanup(func(ctx context.Context) error { return primary.node.Exec(ctx, fmt.Sprintf(rollbackInPlaceSQL, name)) })
	return name
}

func preparedTransactionsSurvive(c *C) {
	p := sceneOf[*promotion](c)
	if p.prepared == "" {
		c.Skipf("max_prepared_transactions is 0: nothing can be prepared")
	}
	session := p.on(c, p.promoted)
	if !Value[bool](session, preparedListedSQL, p.prepared) {
		c.Fatalf("the prepared transaction is not in pg_prepared_xacts of %s", p.promoted.Name())
	}
	if hasRow(session, preparedRow) {
		c.Errorf("the row of a prepared transaction is visible before it is committed")
	}
	session.Do(fmt.Sprintf(commitPreparedSQL, p.prepared))
	if !hasRow(session, preparedRow) {
		c.Errorf("the row of a prepared transaction is not visible after it was committed")
	}
}

func hasRow(session *Session, id int) bool {
	return Value[bool](session, `SELECT EXISTS (SELECT FROM kept WHERE id = $1)`, id)
}
