package pairtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Database gives a test a database of its own on a pair that all tests of all
// packages share which ask for one with the same options. It is a copy of a
// template that the migration has made once, and it is there on the standby
// when the call returns. Its owner, settings and permissions are the template's
// too. The test drops it.
//
// The first call of a `go test ./...` starts the pair; it is removed a few
// seconds after the last test that used it has ended, however that ended.
// Tests may run in parallel and in several processes: they share the servers'
// resources and settings, and what belongs to no database, such as roles and
// tablespaces, and nothing else. A migration makes a role only if it is not there.
func Database(tb testing.TB, migration Migration, options ...Option) *DB {
	tb.Helper()
	db, err := sharedDatabase(tb, migration, options)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// Database gives a test a database of its own on this pair. Tests that run in
// parallel on one pair each want one.
func (p *Pair) Database(tb testing.TB, migration Migration) *DB {
	tb.Helper()
	db, err := database(tb, p.control, migration)
	if err != nil {
		tb.Fatal(err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.databases = append(p.databases, db)
	tb.Cleanup(func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.databases = slices.DeleteFunc(p.databases, func(one *DB) bool { return one == db })
	})
	return db
}

func sharedDatabase(tb testing.TB, migration Migration, options []Option) (*DB, error) {
	tb.Helper()
	ctx, cancel := starting(tb)
	defer cancel()
	chosen, err := configure(options)
	if err != nil {
		return nil, err
	}
	place, err := meetingPlace(ctx, chosen)
	if err != nil {
		return nil, err
	}
	lease, servers, err := place.join(ctx, chosen)
	if err != nil {
		return nil, err
	}
	defer servers.Close() // it holds connections, and what comes later opens others
	tb.Cleanup(func() {
		if err := lease.Close(); err != nil {
			tb.Errorf("give up the shared pair: %v", err)
		}
	})
	return database(tb, servers, migration)
}

// greeting is what a holder says to whoever connects: the servers, the primary
// first. The connection is the lease: it ends with the process that has it.
type greeting struct {
	Servers []address
	Error   string
}

type address struct{ Name, URL string }

// join connects to the holder of a shared pair, and starts one where there is none.
func (m place) join(ctx context.Context, chosen config) (lease net.Conn, servers *pair.Pair, err error) {
	// A holder that leaves takes the lock too, so that it never leaves somebody who is about to join.
	turn, err := m.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	var dialer net.Dialer
	lease, err = dialer.DialContext(ctx, "unix", m.socket())
	if err != nil {
		if err := m.startHolder(ctx, turn, chosen); err != nil {
			return nil, nil, fmt.Errorf("start shared pair: %w", err)
		}
		if lease, err = dialer.DialContext(ctx, "unix", m.socket()); err != nil {
			return nil, nil, fmt.Errorf("join shared pair: %w", err)
		}
	}
	if servers, err = greet(ctx, lease); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("join shared pair: %w", err), lease.Close())
	}
	return lease, servers, nil
}

// greet reads where the servers are.
func greet(ctx context.Context, lease net.Conn) (*pair.Pair, error) {
	stop := context.AfterFunc(ctx, func() { _ = lease.Close() }) // the reader gets the error
	defer stop()
	said, err := bufio.NewReader(lease).ReadBytes('\n')
	if err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	var hello greeting
	if err := json.Unmarshal(said, &hello); err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	if hello.Error != "" {
		return nil, errors.New(hello.Error)
	}
	servers := &pair.Pair{}
	for _, one := range hello.Servers {
		config, err := pair.ParseConfig(one.URL)
		if err != nil {
			return nil, fmt.Errorf("reach %s: %w", one.Name, err)
		}
		node := pair.NewNode(one.Name, func(context.Context) (*pgx.ConnConfig, error) { return config, nil })
		if servers.Primary == nil {
			servers.Primary = node
		} else {
			servers.Standbys = append(servers.Standbys, node)
		}
	}
	return servers, nil
}
