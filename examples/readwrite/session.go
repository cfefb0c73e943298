package readwrite

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Session sees its own writes: it remembers how far the primary's log was after
// the last one, and reads from the standby once that has come so far.
type Session struct {
	Primary, Standby *pgxpool.Pool

	mutex   sync.Mutex
	written string // position of the last write, as pg_lsn; empty before the first
}

const (
	positionSQL = `SELECT pg_current_wal_lsn()::text`
	reachedSQL  = `SELECT COALESCE(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)`
)

// Place stores an order.
func (s *Session) Place(ctx context.Context, item string) (id int64, err error) {
	if err := s.Primary.QueryRow(ctx, insertSQL, item).Scan(&id); err != nil {
		return 0, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return id, s.Primary.QueryRow(ctx, positionSQL).Scan(&s.written)
}

// Item finds an order, on the standby where that is far enough.
func (s *Session) Item(ctx context.Context, id int64) (item string, err error) {
	server, err := s.reader(ctx)
	if err != nil {
		return "", err
	}
	err = server.QueryRow(ctx, selectSQL, id).Scan(&item)
	return item, err
}

// reader chooses where to read. What the standby has replayed it never loses.
func (s *Session) reader(ctx context.Context) (*pgxpool.Pool, error) {
	s.mutex.Lock()
	written := s.written
	s.mutex.Unlock()
	if written == "" {
		return s.Standby, nil
	}
	var reached bool
	if err := s.Standby.QueryRow(ctx, reachedSQL, written).Scan(&reached); err != nil || !reached {
		return s.Primary, err
	}
	return s.Standby, nil
}
