package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Outcome is what a client knows of a write.
type Outcome int

// The outcomes. A write whose connection broke may have been committed.
const (
	Refused      Outcome = iota // surely not committed
	Unknown                     // committed or not
	Acknowledged                // committed
)

// Write is one row of a ledger, as its client saw it.
type Write struct {
	ID      int64
	Outcome Outcome
	Ended   time.Duration // since the check began
}

// Ledger is a table that a client of its own fills, row by row, while things
// break, and the client's record of what became of each row.
type Ledger struct {
	c     *C
	table string
	local bool // its commits wait for no standby
	end   context.CancelFunc
	ended chan struct{}

	mutex  sync.Mutex
	writes []Write
	last   error // of the last write that was not acknowledged
}

const (
	createLedgerSQL = `CREATE TABLE %s (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())`
	writeLedgerSQL  = `INSERT INTO %s (id) VALUES ($1)`
	readLedgerSQL   = `SELECT id FROM %s ORDER BY id`
	// commitLocallySQL leaves commits alone that wait for no disk either.
	commitLocallySQL = `SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') <> 'off'`
)

const (
	// ledgerPace is the pause between two writes. Each is a commit, synced and
	// replicated: at a quicker pace the writer takes the processors from the
	// servers whose return is measured.
	ledgerPace = 10 * time.Millisecond
	// reconnectPace is the pause between two attempts to connect.
	reconnectPace = 20 * time.Millisecond
)

// KeepWriting makes a ledger and begins to fill it through a node, the primary
// as a rule. Its commits wait for no standby, also where others do: with the
// standby away it goes on. It ends with Stop, after the check at the latest.
func (c *C) KeepWriting(node *pair.Node) *Ledger { return c.keepLedger(node, true) }

// KeepCommitting is KeepWriting as users write: whether its commits wait for a
// standby is up to the server.
func (c *C) KeepCommitting(node *pair.Node) *Ledger { return c.keepLedger(node, false) }

func (c *C) keepLedger(node *pair.Node, local bool) *Ledger {
	table := pgx.Identifier{c.Schema(), "ledger"}.Sanitize()
	if err := node.Exec(c.ctx, fmt.Sprintf(createLedgerSQL, table)); err != nil {
		c.Fatalf("create ledger: %v", err)
	}
	ctx, end := context.WithCancel(c.ctx)
	ledger := &Ledger{c: c, table: table, local: local, end: end, ended: make(chan struct{})}
	go func() {
		defer close(ledger.ended)
		ledger.fill(ctx, node)
	}()
	c.Cleanup(func(context.Context) error { ledger.Stop(); return nil })
	return ledger
}

// Stop ends the writing. Stopping twice is safe.
func (l *Ledger) Stop() {
	l.end()
	<-l.ended
}

// fill writes one row after the other, and connects again when it must.
func (l *Ledger) fill(ctx context.Context, node *pair.Node) {
	var session *pgx.Conn
	defer func() {
		if session != nil {
			_ = session.Close(context.WithoutCancel(ctx)) // nothing of value is on it
		}
	}()
	pace := time.NewTicker(ledgerPace)
	defer pace.Stop()
	for id := int64(1); ctx.Err() == nil; {
		if session == nil || session.IsClosed() {
			var err error
			pace.Reset(ledgerPace)
			if session, err = l.connect(ctx, node); err != nil {
				l.fail(err)
				pace.Reset(reconnectPace)
			}
		}
		if session != nil && !session.IsClosed() {
			_, err := session.Exec(ctx, fmt.Sprintf(writeLedgerSQL, l.table), id)
			l.record(Write{ID: id, Outcome: outcomeOf(err), Ended: l.c.Elapsed()}, err)
			id++
		}
		select {
		case <-ctx.Done():
		case <-pace.C:
		}
	}
}

func (l *Ledger) connect(ctx context.Context, node *pair.Node) (*pgx.Conn, error) {
	session, err := node.Connect(ctx)
	if err != nil || !l.local {
		return session, err
	}
	if _, err := session.Exec(ctx, commitLocallySQL); err != nil {
		_ = session.Close(context.WithoutCancel(ctx)) // err says what was wrong
		return nil, err
	}
	return session, nil
}

// outcomeOf tells what an error says about a commit. Only an answer of the
// server that the statement itself failed is sure. pgconn.SafeToRetry is not:
// it calls a connection that broke after COMMIT was sent safe ("conn closed").
func outcomeOf(err error) Outcome {
	var answer *pgconn.PgError
	switch {
	case err == nil:
		return Acknowledged
	case errors.As(err, &answer) && answer.Severity == "ERROR" && answer.Code[:2] != "57" && answer.Code[:2] != "58" && answer.Code[:2] != "XX":
		return Refused
	}
	return Unknown
}

func (l *Ledger) fail(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.last = err
}

func (l *Ledger) record(write Write, err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.writes = append(l.writes, write)
	if err != nil {
		l.last = err
	}
}

// Writes gives the record so far.
func (l *Ledger) Writes() []Write {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clone(l.writes)
}

// Count says how many writes had an outcome so far.
func (l *Ledger) Count(outcome Outcome) int {
	count := 0
	for _, write := range l.Writes() {
		if write.Outcome == outcome {
			count++
		}
	}
	return count
}

// WaitAcknowledged waits until more writes have been acknowledged, so that a
// fault surely meets a client at work, or has surely been got over.
func (l *Ledger) WaitAcknowledged(more int) {
	const within = 30 * time.Second
	wanted := l.Count(Acknowledged) + more
	l.c.Eventually(fmt.Sprintf("%d more writes are acknowledged", more), within, func(context.Context) (bool, string, error) {
		count := l.Count(Acknowledged)
		l.mutex.Lock()
		defer l.mutex.Unlock()
		return count >= wanted, fmt.Sprintf("%d of %d, last error: %v", count, wanted, l.last), nil
	})
}

// LongestGap is the longest time between two acknowledgements: what a client
// feels of a fault.
func (l *Ledger) LongestGap() time.Duration {
	var longest, before time.Duration
	first := true
	for _, write := range l.Writes() {
		if write.Outcome != Acknowledged {
			continue
		}
		if !first {
			longest = max(longest, write.Ended-before)
		}
		first, before = false, write.Ended
	}
	return longest
}

// Account compares the record with what a node holds.
type Account struct {
	Acknowledged int
	Lost         []int64 // acknowledged and not there
	Undead       []int64 // refused and there all the same
	Unknown      int     // may be there or not
	UnknownKept  int     // of these, how many are there
}

// Account reads what a node holds. The caller has stopped the writing, and
// waited for the node to replay.
func (l *Ledger) Account(node *pair.Node) Account {
	held, err := pair.Column[int64](l.c.ctx, node, fmt.Sprintf(readLedgerSQL, l.table))
	if err != nil {
		l.c.Fatalf("read ledger: %v", err)
	}
	return settle(l.Writes(), held)
}

// settle finds lost and undead rows; held is sorted.
func settle(writes []Write, held []int64) Account {
	var account Account
	for _, write := range writes {
		_, there := slices.BinarySearch(held, write.ID)
		switch write.Outcome {
		case Acknowledged:
			account.Acknowledged++
			if !there {
				account.Lost = append(account.Lost, write.ID)
			}
		case Refused:
			if there {
				account.Undead = append(account.Undead, write.ID)
			}
		case Unknown:
			account.Unknown++
			if there {
				account.UnknownKept++
			}
		}
	}
	return account
}

// MustHoldAll fails the check unless a node holds every acknowledged row and
// no refused one.
func (l *Ledger) MustHoldAll(node *pair.Node) Account {
	account := l.Account(node)
	if account.Acknowledged == 0 {
		l.c.Fatalf("no write was acknowledged: that all are there proves nothing")
	}
	if len(account.Lost) > 0 {
		l.c.Errorf("%s lacks %d of %d acknowledged rows, the first is %d", node.Name(), len(account.Lost), account.Acknowledged, account.Lost[0])
	}
	if len(account.Undead) > 0 {
		l.c.Errorf("%s holds %d rows whose write was refused, the first is %d", node.Name(), len(account.Undead), account.Undead[0])
	}
	return account
}
