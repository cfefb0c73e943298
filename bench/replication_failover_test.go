package bench_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const promoteSQL = `SELECT pg_promote()`

// failover takes a pair of its own: it leaves none.
func (s *subject) failover(t *testing.T, engine *stack.Engine) {
	t.Helper()
	target, remove := startPair(t, engine, s.files)
	defer remove()
	require.NoError(t, target.Pair.Primary.Exec(t.Context(), `CREATE TABLE bench_gap (id bigint)`))
	require.NoError(t, target.Pair.WaitForReplay(t.Context()))
	promoter := connect(t, target.Pair.Standby())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var gap time.Duration
	begun, written := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		gap, err = writeThrough(ctx, target.Pair, sync.OnceFunc(func() { close(begun) }))
		written <- err
	}()
	select {
	case <-begun:
	case err := <-written:
		require.NoError(t, err)
	}
	require.NoError(t, target.Operator.Kill(ctx, target.Pair.Primary.Name(), "KILL"))
	_, err := promoter.Exec(ctx, promoteSQL)
	require.NoError(t, err)
	require.NoError(t, errors.Join(<-written, promoter.Close(ctx)))
	s.add("write gap", "s", gap.Seconds())
}

const gapSQL = `INSERT INTO bench_gap VALUES (1)`

// writeThrough commits without pause until that fails, then tries both servers
// until one takes a commit again. It tells the time between the two.
func writeThrough(ctx context.Context, servers *pair.Pair, committed func()) (time.Duration, error) {
	conn, err := servers.Primary.Connect(ctx)
	if err != nil {
		return 0, err
	}
	last := time.Now()
	for {
		if _, err := conn.Exec(ctx, gapSQL); err != nil {
			break
		}
		last = time.Now()
		committed()
	}
	_ = conn.Close(ctx) // its server is gone
	const retry = 2 * time.Millisecond
	err = pair.Poll(ctx, retry, func(ctx context.Context) (bool, error) {
		for _, node := range servers.Nodes() {
			conn, err := node.Connect(ctx)
			if err != nil {
				continue
			}
			_, err = conn.Exec(ctx, gapSQL)
			_ = conn.Close(ctx) // what counts is the commit
			if err == nil {
				return true, nil
			}
		}
		return false, nil
	})
	return time.Since(last), err
}
