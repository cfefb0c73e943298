package scripts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	primaryURL = "postgres://postgres:postgres@127.0.0.1:5432/mydatabase"
	standbyURL = "postgres://postgres:postgres@127.0.0.1:5433/mydatabase"

	// streamLimit bounds the way from `up` to the first replayed row.
	streamLimit = time.Minute
)

// requireStreaming waits until a row that is written on port 5432 can be read
// on port 5433, by way of a WAL receiver and not of the base backup.
func requireStreaming(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), streamLimit)
	defer cancel()
	poll(ctx, t, "the standby streams", func() error {
		return query(ctx, standbyURL, func(standby *pgx.Conn) error {
			var recovering bool
			var status string
			const receiver = `SELECT pg_is_in_recovery(), status FROM pg_stat_wal_receiver`
			if err := standby.QueryRow(ctx, receiver).Scan(&recovering, &status); err != nil {
				return fmt.Errorf("read pg_stat_wal_receiver: %w", err)
			}
			if !recovering || status != "streaming" {
				return fmt.Errorf("in recovery: %t, WAL receiver: %s", recovering, status)
			}
			return nil
		})
	})

	var written, lsn string
	require.NoError(t, query(ctx, primaryURL, func(primary *pgx.Conn) error {
		const write = `CREATE TABLE streamed AS SELECT md5(random()::text) AS token`
		if _, err := primary.Exec(ctx, write); err != nil {
			return fmt.Errorf("write on the primary: %w", err)
		}
		const read = `SELECT token, pg_current_wal_lsn()::text FROM streamed`
		return primary.QueryRow(ctx, read).Scan(&written, &lsn)
	}))

	var replayed string
	poll(ctx, t, "the standby replays "+lsn, func() error {
		return query(ctx, standbyURL, func(standby *pgx.Conn) error {
			var past bool
			const replay = `SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn`
			if err := standby.QueryRow(ctx, replay, lsn).Scan(&past); err != nil {
				return fmt.Errorf("read pg_last_wal_replay_lsn: %w", err)
			}
			if !past {
				return fmt.Errorf("not yet past %s", lsn)
			}
			return standby.QueryRow(ctx, `SELECT token FROM streamed`).Scan(&replayed)
		})
	})
	require.Equal(t, written, replayed, "the row on the standby")
}

func query(ctx context.Context, url string, use func(*pgx.Conn) error) error {
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = connection.Close(ctx) }() // the answer is there already
	return use(connection)
}

// poll repeats until nil comes back; at the deadline it fails with the last reason.
func poll(ctx context.Context, t *testing.T, what string, try func() error) {
	t.Helper()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	var last error
	for {
		err := try()
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			require.FailNowf(t, "waited too long", "%s: %v", what, last)
		case <-pause.C:
		}
	}
}
