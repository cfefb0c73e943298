// Package failover is an example of a client that finds the new primary by
// itself: its connection string names both servers and wants the one that takes
// writes.
package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Schema is what a Store needs.
const Schema = `CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL)`

// putSQL may be done twice: after a lost connection nobody knows whether the
// first attempt was committed.
const putSQL = `
INSERT INTO settings (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// Store keeps settings on whichever server is the primary.
type Store struct{ pool *pgxpool.Pool }

// Open connects by a string such as
// postgres://one,two/app?target_session_attrs=read-write.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse connection string: %w", err)
	}
	const patience = 2 * time.Second // with a server that does not answer
	config.ConnConfig.ConnectTimeout = patience
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open pool: %w", err)
	}
	return &Store{pool: pool}, nil
}

// Close ends the store's connections.
func (s *Store) Close() { s.pool.Close() }

// Put stores a setting. While no server takes writes it tries again, until ctx ends.
func (s *Store) Put(ctx context.Context, name, value string) error {
	const interval = 100 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		_, err := s.pool.Exec(ctx, putSQL, name, value)
		if err == nil || refused(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no server takes writes: %w", errors.Join(context.Cause(ctx), err))
		case <-ticker.C:
		}
	}
}

// refused says whether a primary has answered, so that another attempt would
// end in the same way.
func refused(err error) bool {
	const readOnly, shutdown, crash, starting = "25006", "57P01", "57P02", "57P03"
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Code {
	case readOnly, shutdown, crash, starting:
		return false
	}
	return true
}
