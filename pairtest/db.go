package pairtest

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// DB is one database on a pair, seen from both sides. It is safe for
// concurrent use, until the test that it was made for ends.
type DB struct {
	Primary *pgxpool.Pool // each new connection asks anew where the server is
	Standby *pgxpool.Pool // the first standby, when there are several

	tb testing.TB
	// What this package asks the servers itself goes over connections of its
	// own: an application may have used up its pools.
	control *pair.Pair
}

// open connects to a database of a pair. The test closes it.
func open(tb testing.TB, servers *pair.Pair, database string) (*DB, error) {
	tb.Helper()
	db := &DB{tb: tb, control: &pair.Pair{Primary: control(servers.Primary, database)}}
	for _, standby := range servers.Standbys {
		db.control.Standbys = append(db.control.Standbys, control(standby, database))
	}
	tb.Cleanup(db.control.Close)
	var err error
	if db.Primary, err = pool(tb, in(servers.Primary, database, "")); err != nil {
		return nil, err
	}
	db.Standby, err = pool(tb, in(servers.Standby(), database, ""))
	return db, err
}

// controlName is the application_name by which this package's own sessions are
// told from those of an application.
const controlName = "pairtest"

// control is a server as this package talks to it. Many databases share a
// server: its connections are few, and end soon.
func control(server *pair.Node, database string) *pair.Node {
	const size, idle = 2, time.Second
	return in(server, database, controlName).LimitPool(size, idle)
}

// in is a server with another database in place of its own, unless that is "",
// and with this application_name. Its connection string says so too.
func in(server *pair.Node, database, application string) *pair.Node {
	return pair.NewNode(server.Name(), func(ctx context.Context) (*pgx.ConnConfig, error) {
		config, err := server.Config(ctx)
		if err != nil {
			return nil, err
		}
		if database != "" {
			config.Database = database
		}
		parameters := url.Values{"sslmode": {"allow"}}
		if application != "" {
			parameters.Set("application_name", application)
		}
		return pair.ParseConfig(serverURL(config, []string{hostPort(config)}, parameters))
	})
}

// pool gives a pool to a server. The test closes it.
func pool(tb testing.TB, server *pair.Node) (*pgxpool.Pool, error) {
	tb.Helper()
	opened, err := server.NewPool(tb.Context(), 0)
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() {
		if !closeWithin(opened, closeLimit) {
			tb.Errorf("close pool of %s: %d connections are still in use: close rows, end transactions, release connections",
				server.Name(), opened.Stat().AcquiredConns())
		}
	})
	return opened, nil
}

// reset drops the connections to servers that are now elsewhere.
func (d *DB) reset() {
	d.Primary.Reset()
	d.Standby.Reset()
	for _, node := range d.control.Nodes() {
		node.Reset()
	}
}

// closeLimit is for a test that forgot a connection: Close waits for all of
// them, and would never end.
const closeLimit = 10 * time.Second

func closeWithin(pool *pgxpool.Pool, limit time.Duration) bool {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-closed:
		return true
	case <-timer.C:
		return false
	}
}

// PrimaryDB is the primary for code that wants database/sql. The test closes
// it; it shares its connections with Primary.
func (d *DB) PrimaryDB() *sql.DB { return d.sqlDB(d.Primary) }

// StandbyDB is the standby for code that wants database/sql.
func (d *DB) StandbyDB() *sql.DB { return d.sqlDB(d.Standby) }

func (d *DB) sqlDB(pool *pgxpool.Pool) *sql.DB {
	db := stdlib.OpenDBFromPool(pool)
	d.tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			d.tb.Errorf("close database: %v", err)
		}
	})
	return db
}

// URL is a connection string that names both servers, the primary first, and
// what the client wants of the one it takes: "any", "read-write", "read-only",
// "primary", "standby" or "prefer-standby". It contains the password, and the
// ports as they are now: all servers must be running, so ask before you stop or
// kill one. One that is started again has another port.
//
// Source: PostgreSQL documentation, "Database Connection Control Functions":
// target_session_attrs.
func (d *DB) URL(ctx context.Context, targetSessionAttrs string) (string, error) {
	var hosts []string
	var login *pgx.ConnConfig
	for _, server := range d.control.Nodes() {
		config, err := server.Config(ctx)
		if err != nil {
			return "", err
		}
		if login == nil {
			login = config
		}
		hosts = append(hosts, hostPort(config))
	}
	return serverURL(login, hosts, url.Values{"target_session_attrs": {targetSessionAttrs}, "sslmode": {"prefer"}}), nil
}

func hostPort(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

func serverURL(login *pgx.ConnConfig, hosts []string, parameters url.Values) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(login.User, login.Password),
		Host: strings.Join(hosts, ","), Path: "/" + login.Database, RawQuery: parameters.Encode(),
	}
	return address.String()
}

// WaitForReplay waits until the standbys have replayed all that the primary had
// written when it was called: after it, reads there see the caller's own
// committed writes. Commits made with synchronous_commit = off are covered only
// once the WAL writer has written them. Errors of the wait are *pair.ReplayError.
func (d *DB) WaitForReplay(ctx context.Context) error { return d.control.WaitForReplay(ctx) }
