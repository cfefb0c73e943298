package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// promotion is a promoted standby beside the primary that it left, and what
// was seen while it was promoted.
type promotion struct {
	schema   string
	old      *pair.Node
	promoted *pair.Node
	oldHome  home // of the old primary

	before     pair.Claim // the old primary's, right before
	received   pair.LSN   // what the standby had received, but not applied, right before
	answer     bool       // of pg_promote
	took       time.Duration
	firstWrite time.Duration // both since the call
	prepared   string        // name of a prepared transaction; empty where there can be none

	served, servedAfter int32 // the process of the open session, before and after
	open                error // a write in a session that was open
	serializable        error // a serializable transaction in it
	begun               error // a write in a transaction that had begun
	begunAfter          error // a write after that transaction
}

// What each part of the scene leaves. Row 1 is replayed, row 2 only received
// by the paused standby, the later ones are written by the promoted server.
const (
	promotionTablesSQL = `
CREATE TABLE kept (id int PRIMARY KEY, at text);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE SEQUENCE counted;
CREATE SEQUENCE cached CACHE 10;
INSERT INTO kept VALUES (1, 'replayed');
INSERT INTO unlogged SELECT generate_series(1, 100)`

	useCountersSQL = `SELECT max(nextval('counted')) + max(nextval('cached')) FROM generate_series(1, 3)`

	// dirtyPagesSQL makes pages that the first checkpoint after a promotion
	// writes one by one, with pauses: meanwhile the control file is the old one.
	dirtyPagesSQL = `
CREATE TABLE filler (page text);
ALTER TABLE filler ALTER page SET STORAGE PLAIN;
INSERT INTO filler SELECT repeat('x', 5000) FROM generate_series(1, 600)`

	insertKeptSQL = `INSERT INTO kept VALUES ($1, $2)`
	keptSQL       = `SELECT id FROM kept ORDER BY id`
	backendSQL    = `SELECT pg_backend_pid()`
)

// promoteBesidePrimary is the scene of most checks: a standby whose replay is
// paused, and that serves sessions, is promoted while the primary lives on.
func promoteBesidePrimary(c *C) any {
	primary, standby := c.OnPrimary(), c.Pair().Standby()
	p := &promotion{schema: c.Schema(), old: c.Pair().Primary, promoted: standby, oldHome: c.homeOf(c.Pair().Primary)}
	primary.Do(promotionTablesSQL)
	primary.Do(useCountersSQL)
	c.prepareUnloggedSequence(primary)
	p.prepared = c.prepareTransaction(primary)
	primary.Do(dirtyPagesSQL)
	c.Replay()

	open, begun := c.NewSession(standby), c.NewSession(standby)
	open.Refuses("25006", insertKeptSQL, 0, "too early")
	p.served = Value[int32](open, backendSQL)
	begun.Do(`BEGIN`)
	if rows := Column[int](begun, keptSQL); len(rows) != 1 {
		c.Fatalf("%s shows rows %v, want row 1", standby.Name(), rows)
	}
	c.pauseReplay()
	primary.Do(insertKeptSQL, 2, "received")
	p.received = c.receivedBy(standby, c.currentLSN())
	if rows := Column[int](open, keptSQL); len(rows) != 1 {
		c.Fatalf("%s shows rows %v while its replay is paused, want row 1", standby.Name(), rows)
	}
	p.before = c.claim(p.old)

	p.answer, p.took = c.promote(standby)
	began := time.Now().Add(-p.took)
	c.Eventually("the promoted server takes a write", promotionBound, func(ctx context.Context) (bool, string, error) {
		_, err := open.Exec(ctx, insertKeptSQL, 3, "by the promoted server")
		p.open = err
		return pair.SQLState(err) != "25006" && ctx.Err() == nil, "read-only", nil
	})
	p.firstWrite = time.Since(began)
	p.servedAfter = Value[int32](open, backendSQL)
	p.serializable = pgx.BeginTxFunc(c.ctx, open, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		_, err := tx.Exec(c.ctx, insertKeptSQL, 4, "serializable")
		return err
	})
	p.begun = begun.Try(insertKeptSQL, 5, "in a transaction that had begun")
	begun.Do(`ROLLBACK`)
	p.begunAfter = begun.Try(insertKeptSQL, 6, "after it")
	// From now on each server has a row that the other lacks.
	primary.Do(insertKeptSQL, oldRow, "by the old primary")
	return p
}

// oldRow is written by the old primary after the promotion.
const oldRow = 20

// promote promotes a standby and gives the answer and how long it took.
func (c *C) promote(standby *pair.Node) (answer bool, took time.Duration) {
	session, err := standby.Connect(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(session)
	began := time.Now()
	if err := session.QueryRow(c.ctx, promoteSQL).Scan(&answer); err != nil {
		c.Fatalf("promote %s: %v", standby.Name(), err)
	}
	return answer, time.Since(began)
}

// mustPromote promotes a standby as a step of a check that is about something else.
func (c *C) mustPromote(standby *pair.Node) {
	if answer, took := c.promote(standby); !answer {
		c.Fatalf("pg_promote on %s says false after %s", standby.Name(), took.Round(time.Millisecond))
	}
}

// claim asks a server that should be out of recovery what it writes.
func (c *C) claim(node *pair.Node) pair.Claim {
	claim, ok, err := node.Claim(c.ctx)
	switch {
	case err != nil:
		c.Fatalf("%v", err)
	case !ok:
		c.Fatalf("%s is in recovery", node.Name())
	}
	return claim
}

// receivedBy waits until a standby has received and flushed a position.
func (c *C) receivedBy(standby *pair.Node, lsn pair.LSN) (received pair.LSN) {
	c.Eventually(fmt.Sprintf("%s has received %s", standby.Name(), lsn), promotionBound, func(ctx context.Context) (bool, string, error) {
		var err error
		received, err = pair.One[pair.LSN](ctx, standby, receivedUpToSQL)
		return received >= lsn, received.String(), err
	})
	return received
}

// on opens a session in the scene's schema.
func (p *promotion) on(c *C, node *pair.Node) *Session { return c.sessionIn(node, p.schema) }
