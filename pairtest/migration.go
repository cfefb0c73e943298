package pairtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Migration makes an empty database what an application expects. It is done
// once for each key on each pair; tests get copies of the result.
type Migration struct {
	// Key is all that a migration is known by, to every program of this machine
	// that shares the pair: it changes whenever the outcome would, as a hash of
	// migration files does, and names the application unless that says enough.
	// Only with a nil Apply it may be empty.
	Key string
	// Apply gets the empty database, on the primary. Nil leaves it empty.
	Apply func(ctx context.Context, primary *pgxpool.Pool) error
}

// SQL is a migration made of statements, keyed by their text. Each text may
// hold several statements, which then are one transaction.
func SQL(statements ...string) Migration {
	sum := sha256.New()
	for _, one := range statements {
		_, _ = fmt.Fprintf(sum, "%d %s", len(one), one) // a hash takes everything
	}
	return Migration{
		Key: "sql " + hex.EncodeToString(sum.Sum(nil)),
		Apply: func(ctx context.Context, primary *pgxpool.Pool) error {
			for _, one := range statements {
				// Only this mode takes several statements at once.
				if _, err := primary.Exec(ctx, one, pgx.QueryExecModeSimpleProtocol); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

const (
	templateDoneSQL = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate AND NOT datallowconn)`
	turnSQL         = `SELECT pg_advisory_lock(hashtextextended($1, 0))`
	endTurnSQL      = `SELECT pg_advisory_unlock(hashtextextended($1, 0))`
	dropSQL         = `DROP DATABASE IF EXISTS %s WITH (FORCE)`
	createSQL       = `CREATE DATABASE %s`
	sealSQL         = `ALTER DATABASE %s WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`
	cloneSQL        = `CREATE DATABASE %s TEMPLATE %s`
	// Autovacuum makes room by itself, and belongs to a superuser.
	leaveSQL = `
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'`

	objectInUse = "55006" // SQLSTATE
)

// errNoKey says that a migration would be taken for every other one without a key.
var errNoKey = errors.New("migrate template database: the Migration has an Apply and no Key; set Key to what changes whenever the outcome does")

// database makes a database for a test on a pair: a copy of the migrated
// template, there on the standbys too. The test drops it.
func database(tb testing.TB, servers *pair.Pair, migration Migration) (*DB, error) {
	tb.Helper()
	if migration.Apply != nil && migration.Key == "" {
		return nil, errNoKey
	}
	session, err := connect(tb, servers.Primary)
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close(context.WithoutCancel(tb.Context())) }() // nothing is under way
	sum := sha256.Sum256([]byte(migration.Key))
	const short = 8
	template := "pairtest_" + hex.EncodeToString(sum[:short])
	if err := makeTemplate(tb, session, servers, template, migration); err != nil {
		return nil, fmt.Errorf("migrate template database: %w", err)
	}
	ctx, cancel := starting(tb)
	defer cancel()
	name := template + "_" + strings.ToLower(rand.Text()[:10])
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), removeLimit)
		defer cancel()
		if err := drop(ctx, servers.Primary, name); err != nil {
			tb.Errorf("drop database of the test: %v", err)
		}
	})
	if err := clone(ctx, session, name, template); err != nil {
		return nil, fmt.Errorf("copy template database: %w", err)
	}
	if err := servers.WaitForReplay(ctx); err != nil {
		return nil, err
	}
	db, err := open(tb, servers, name)
	if err != nil {
		return nil, err
	}
	return db, errors.Join(db.Primary.Ping(ctx), db.Standby.Ping(ctx))
}

func connect(tb testing.TB, server *pair.Node) (*pgx.Conn, error) {
	tb.Helper()
	ctx, cancel := starting(tb)
	defer cancel()
	return server.Connect(ctx)
}

// clone copies a template. Somebody may be in it: autovacuum for a moment, or
// a session that the migration has left there, which is ended.
func clone(ctx context.Context, session *pgx.Conn, name, template string) error {
	const interval = 20 * time.Millisecond
	var inUse error
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		_, err := session.Exec(ctx, fmt.Sprintf(cloneSQL, quote(name), quote(template)))
		if pair.SQLState(err) != objectInUse {
			return err == nil, err
		}
		_, leaveErr := session.Exec(ctx, leaveSQL, template)
		inUse = errors.Join(err, leaveErr)
		return false, nil
	})
	if err != nil {
		return errors.Join(err, inUse)
	}
	return likeTemplate(ctx, session, name, template)
}

// makeTemplate migrates a template unless somebody has done it. What a killed
// test left half-made is dropped.
func makeTemplate(tb testing.TB, session *pgx.Conn, servers *pair.Pair, name string, migration Migration) (err error) {
	tb.Helper()
	ctx, cancel := migrating(tb)
	defer cancel()
	if done, err := templateDone(ctx, session, name); err != nil || done {
		return err
	}
	// One at a time; the turn ends with the session, whatever becomes of this process.
	if _, err := session.Exec(ctx, turnSQL, name); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := session.Exec(context.WithoutCancel(ctx), endTurnSQL, name)
		err = errors.Join(err, unlockErr)
	}()
	if done, err := templateDone(ctx, session, name); err != nil || done {
		return err
	}
	for _, sql := range []string{dropSQL, createSQL} {
		if _, err := session.Exec(ctx, fmt.Sprintf(sql, quote(name))); err != nil {
			return err
		}
	}
	if migration.Apply != nil {
		if err := apply(ctx, servers.Primary, name, migration); err != nil {
			return err
		}
	}
	_, err = session.Exec(ctx, fmt.Sprintf(sealSQL, quote(name)))
	return err
}

func templateDone(ctx context.Context, session *pgx.Conn, name string) (done bool, err error) {
	err = session.QueryRow(ctx, templateDoneSQL, name).Scan(&done)
	return done, err
}

func apply(ctx context.Context, primary *pair.Node, name string, migration Migration) error {
	opened, err := in(primary, name, "").NewPool(ctx, 0)
	if err != nil {
		return err
	}
	err = migration.Apply(ctx, opened)
	if !closeWithin(opened, closeLimit) {
		err = errors.Join(err, errors.New("the migration keeps a connection in use"))
	}
	return err
}

func drop(ctx context.Context, primary *pair.Node, name string) error {
	session, err := primary.Connect(ctx)
	if err != nil {
		return err
	}
	_, err = session.Exec(ctx, fmt.Sprintf(dropSQL, quote(name)))
	return errors.Join(err, session.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
