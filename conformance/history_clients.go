package conformance

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	historyTablesSQL = `
CREATE TABLE head (position bigint NOT NULL);
ALTER TABLE head REPLICA IDENTITY FULL;
INSERT INTO head VALUES (0);
CREATE TABLE book (position bigint PRIMARY KEY, id bigint NOT NULL);
CREATE TABLE pages (id bigint NOT NULL);
CREATE TABLE registers (key int PRIMARY KEY, value bigint NOT NULL);
INSERT INTO registers SELECT key, 0 FROM generate_series(0, 2) AS key`

	appendPageSQL   = `INSERT INTO pages VALUES ($1)`
	nextPositionSQL = `UPDATE head SET position = position + 1 RETURNING position`
	appendBookSQL   = `INSERT INTO book VALUES ($1, $2)`

	snapshotSQL = `
SELECT (SELECT position FROM head),
       (SELECT COALESCE(array_agg(id ORDER BY position), '{}') FROM book),
       (SELECT COALESCE(array_agg(id ORDER BY id), '{}') FROM pages)`

	writeRegisterSQL = `UPDATE registers SET value = $2 WHERE key = $1`
	readRegisterSQL  = `SELECT value FROM registers WHERE key = $1`

	registers = 3
)

const (
	// clientPace is the pause between two operations of a client, so that the
	// record stays short.
	clientPace = 15 * time.Millisecond
	// clientPatience is how long a client waits for an answer before it gives
	// up the connection: a network that was cut does not say so.
	clientPatience = 3 * time.Second
	// connectPatience is longer: on a busy machine a login takes its time.
	connectPatience = 10 * time.Second
)

// answer is an operation that a server has answered.
type answer struct {
	node         *pair.Node
	began, ended time.Duration
}

// recorder is the clients of a history and what they see.
type recorder struct {
	c    *C
	name string // application_name of every client
	seed uint64
	stop chan struct{}
	done sync.WaitGroup

	mutex    sync.Mutex
	history  history
	uses     []registerUse
	answers  []answer
	sessions int   // of readers
	last     error // of any client
}

// record starts writers and users of registers on the primary, and readers on
// the standby. They end with end, after the check at the latest.
func (c *C) record(seed uint64) *recorder {
	const writers, users, readers = 3, 3, 2
	c.OnPrimary().Do(historyTablesSQL)
	c.Replay()
	r := &recorder{c: c, name: c.Schema(), seed: seed, stop: make(chan struct{})}
	for i := range writers {
		r.start(c.Pair().Primary, func() {}, r.writer(i+1))
	}
	for i := range users {
		r.start(c.Pair().Primary, func() {}, r.registerUser(i+1))
	}
	for range readers {
		session := 0
		r.start(c.Pair().Standby(), func() { session = r.nextSession() },
			func(ctx context.Context, connection *pgx.Conn) error { return r.look(ctx, connection, session) })
	}
	c.Cleanup(func(context.Context) error { r.end(); return nil })
	return r
}

// end lets every client finish what it is at. Ending twice is safe.
func (r *recorder) end() {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	r.done.Wait()
}

// start runs one operation after the other on a connection of its own, and
// connects again when it must.
func (r *recorder) start(node *pair.Node, connected func(), operation func(context.Context, *pgx.Conn) error) {
	r.done.Go(func() {
		var connection *pgx.Conn
		defer func() {
			if connection != nil {
				_ = connection.Close(context.WithoutCancel(r.c.ctx)) // nothing of value is on it
			}
		}()
		pace := time.NewTicker(clientPace)
		defer pace.Stop()
		for {
			select {
			case <-r.stop:
				return
			case <-r.c.ctx.Done():
				return
			case <-pace.C:
			}
			var err error
			if connection == nil || connection.IsClosed() {
				if connection, err = r.connect(node); err == nil {
					connected()
				}
			} else {
				err = r.operate(node, connection, operation)
			}
			r.note(err)
		}
	})
}

func (r *recorder) operate(node *pair.Node, connection *pgx.Conn, operation func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(r.c.ctx, clientPatience)
	defer cancel()
	began := r.c.Elapsed()
	err := operation(ctx, connection)
	if err == nil {
		r.answered(answer{node: node, began: began, ended: r.c.Elapsed()})
	}
	return err
}

func (r *recorder) connect(node *pair.Node) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(r.c.ctx, connectPatience)
	defer cancel()
	path := pgx.Identifier{r.c.schema}.Sanitize()
	return node.Connect(ctx, pair.WithParameter("search_path", path), pair.WithParameter("application_name", r.name),
		// A writer that the server has lost sight of must not keep the others waiting.
		pair.WithParameter("idle_in_transaction_session_timeout", clientPatience.String()))
}

func (r *recorder) note(err error) {
	if err == nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.last = err
}

func (r *recorder) answered(one answer) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.answers = append(r.answers, one)
}

func (r *recorder) nextSession() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.sessions++
	return r.sessions
}

// writer gives the operation of a writer: one transaction.
func (r *recorder) writer(number int) func(context.Context, *pgx.Conn) error {
	count := int64(0)
	return func(ctx context.Context, connection *pgx.Conn) error {
		count++
		one := appended{ID: transactionID(number, count), Began: r.c.Elapsed()}
		outcome, err := appendOnce(ctx, connection, one.ID)
		one.Outcome, one.Ended = outcome, r.c.Elapsed()
		if outcome == Acknowledged {
			// Without it less can be said about the standby.
			_ = connection.QueryRow(ctx, insertLSNSQL).Scan(&one.LSN)
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.history.Appends = append(r.history.Appends, one)
		return err
	}
}

// appendOnce runs the transaction. What failed before COMMIT is surely not
// there; of a COMMIT itself only the server's own word that it rolled back is
// taken for that.
func appendOnce(ctx context.Context, connection *pgx.Conn, id int64) (Outcome, error) {
	transaction, err := connection.Begin(ctx)
	if err != nil {
		return Refused, err
	}
	var position int64
	_, err = transaction.Exec(ctx, appendPageSQL, id)
	if err == nil {
		err = transaction.QueryRow(ctx, nextPositionSQL).Scan(&position)
	}
	if err == nil {
		_, err = transaction.Exec(ctx, appendBookSQL, position, id)
	}
	if err != nil {
		_ = transaction.Rollback(ctx) // the connection's end does it as well
		return Refused, err
	}
	switch err = transaction.Commit(ctx); {
	case err == nil:
		return Acknowledged, nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return Refused, err
	}
	return Unknown, err
}

// look takes one snapshot of the standby.
func (r *recorder) look(ctx context.Context, connection *pgx.Conn, session int) error {
	seen := snapshot{Session: session}
	if err := connection.QueryRow(ctx, replayedUpToSQL).Scan(&seen.Replayed); err != nil {
		return err
	}
	if err := connection.QueryRow(ctx, snapshotSQL).Scan(&seen.Position, &seen.Book, &seen.Pages); err != nil {
		return err
	}
	seen.At = r.c.Elapsed()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.history.Snapshots = append(r.history.Snapshots, seen)
	return nil
}

// replayedUpToSQL is asked before a snapshot: the snapshot shows all that.
const replayedUpToSQL = `SELECT pg_last_wal_replay_lsn()::text`

// registerUser gives the operation of a user of registers: a read or a write.
func (r *recorder) registerUser(number int) func(context.Context, *pgx.Conn) error {
	random := randomFor(r.seed, number)
	count := int64(0)
	return func(ctx context.Context, connection *pgx.Conn) error {
		count++
		one := nextUse(random, number, count)
		one.Began = r.c.Elapsed()
		var err error
		if one.Writes {
			_, err = connection.Exec(ctx, writeRegisterSQL, one.Key, one.Value)
		} else {
			err = connection.QueryRow(ctx, readRegisterSQL, one.Key).Scan(&one.Value)
		}
		one.Outcome, one.Ended = outcomeOf(err), r.c.Elapsed()
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.uses = append(r.uses, one)
		return err
	}
}

func nextUse(random *mathrand.Rand, client int, count int64) registerUse {
	use := registerUse{Client: client, Key: random.IntN(registers), Writes: random.IntN(2) == 0}
	if use.Writes {
		use.Value = transactionID(client, count)
	}
	return use
}

// acknowledged counts the transactions acknowledged so far.
func (r *recorder) acknowledged() (count int, last error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, one := range r.history.Appends {
		if one.Outcome == Acknowledged {
			count++
		}
	}
	return count, r.last
}

// waitAcknowledged waits until more transactions have been acknowledged.
func (r *recorder) waitAcknowledged(more int) {
	before, _ := r.acknowledged()
	r.c.Eventually(fmt.Sprintf("%d more transactions are acknowledged", more), returnLimit, func(context.Context) (bool, string, error) {
		count, last := r.acknowledged()
		return count >= before+more, fmt.Sprintf("%d of %d, last error: %v", count-before, more, last), nil
	})
}

// answeredWithin says whether a server answered what was asked and answered within a window.
func (r *recorder) answeredWithin(node *pair.Node, from, to time.Duration) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.ContainsFunc(r.answers, func(one answer) bool { return one.node == node && one.began >= from && one.ended <= to })
}
