package pair

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pollInterval is the pause between two looks at a fact. It bounds both the
// delay of a wait (this long at most) and the load on the servers.
const pollInterval = 5 * time.Millisecond

const (
	currentLSNSQL  = `SELECT pg_current_wal_lsn()::text`
	replayedLSNSQL = `SELECT pg_last_wal_replay_lsn()::text`
)

// CurrentLSN is how far the node, a primary, has written its WAL.
//
// Source: PostgreSQL documentation, "Backup Control Functions".
func (n *Node) CurrentLSN(ctx context.Context) (LSN, error) {
	return One[LSN](ctx, n, currentLSNSQL)
}

// ReplayedLSN is how far the node, a standby, has replayed; 0 before the first record.
//
// Source: PostgreSQL documentation, "Recovery Control Functions".
func (n *Node) ReplayedLSN(ctx context.Context) (LSN, error) {
	return One[LSN](ctx, n, replayedLSNSQL)
}

// ReplayError says that a standby had not replayed a position in time.
// It unwraps to the context's error or to the last error of the standby.
type ReplayError struct {
	Node   string
	Wanted LSN
	Seen   LSN // the last position that the standby reported
	Waited time.Duration
	Cause  error
}

// Error says how many bytes were missing.
func (e *ReplayError) Error() string {
	missing := ""
	if e.Seen < e.Wanted {
		missing = fmt.Sprintf(" (%d bytes behind)", e.Wanted-e.Seen)
	}
	return fmt.Sprintf("wait for %s to replay %s: after %s it stands at %s%s: %v",
		e.Node, e.Wanted, e.Waited.Round(time.Millisecond), e.Seen, missing, e.Cause)
}

// Unwrap gives the cause.
func (e *ReplayError) Unwrap() error { return e.Cause }

// WaitReplayed waits until the node has replayed WAL up to lsn, at most until
// ctx ends. Errors are *ReplayError.
func (n *Node) WaitReplayed(ctx context.Context, lsn LSN) error {
	failure := &ReplayError{Node: n.name, Wanted: lsn}
	start := time.Now()
	err := Poll(ctx, pollInterval, func(ctx context.Context) (bool, error) {
		seen, err := n.ReplayedLSN(ctx)
		if err != nil {
			return false, err
		}
		failure.Seen = seen
		return seen >= lsn, nil
	})
	if err != nil {
		failure.Waited, failure.Cause = time.Since(start), err
		return failure
	}
	return nil
}

// Poll asks until done says true, and gives up when ctx ends or done fails.
// A context that ends is reported with its cause.
func Poll(ctx context.Context, every time.Duration, done func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return errors.Join(context.Cause(ctx), err)
		case err != nil:
			return err
		case ok:
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
