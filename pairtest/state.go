package pairtest

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Lag is how far the standby is behind the primary.
type Lag struct {
	Written  pair.LSN // by the primary
	Replayed pair.LSN // by the standby
	// Age is how old the last transaction is that the standby shows, as of its
	// own clock; 0 when it shows all that was written, or none yet.
	Age time.Duration
}

// Bytes are what the standby still has to replay.
func (l Lag) Bytes() int64 {
	return int64(max(l.Written, l.Replayed) - l.Replayed) //nolint:gosec // two positions of one log are not 2⁶³ bytes apart
}

type replayed struct {
	LSN pair.LSN       `db:"lsn"`
	Age *time.Duration `db:"age"`
}

const replayedSQL = `
SELECT pg_last_wal_replay_lsn()::text AS lsn,
       clock_timestamp() - pg_last_xact_replay_timestamp() AS age`

// Lag asks both servers, the standby first: it is never made smaller than it is.
//
// Source: PostgreSQL documentation, "Recovery Control Functions".
func (d *DB) Lag(ctx context.Context) (Lag, error) {
	seen, err := pair.OneRow[replayed](ctx, d.control.Standby(), replayedSQL)
	if err != nil {
		return Lag{}, fmt.Errorf("measure lag: %w", err)
	}
	lag := Lag{Replayed: seen.LSN}
	if lag.Written, err = d.control.Primary.CurrentLSN(ctx); err != nil {
		return Lag{}, fmt.Errorf("measure lag: %w", err)
	}
	if seen.Age != nil && lag.Bytes() > 0 {
		lag.Age = *seen.Age
	}
	return lag, nil
}

// State is what was seen of replication from both ends.
type State struct {
	Primary   Server
	Standby   Server
	Streaming bool // the standby receives the primary's WAL now
	Held      bool // replay is paused on the standby
}

// Server is what was seen of one server.
type Server struct {
	Err        error // why it could not be asked; the other fields are zero then
	InRecovery bool  // true is a standby
	Timeline   int32 // that it writes, or receives; of the last checkpoint where a standby receives none
}

// Replicating says whether the two are a pair: one takes writes, and the other
// receives them. It says nothing of how far replay is: see DB.Lag.
func (s State) Replicating() bool {
	return s.Primary.Err == nil && !s.Primary.InRecovery && s.Standby.InRecovery && s.Streaming
}

// stateSQL takes a primary's timeline from where it writes: its last checkpoint
// may be older than its promotion. The other functions fail in recovery.
const stateSQL = `
SELECT pg_is_in_recovery() AS in_recovery,
       CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT nullif(received_tli, 0) FROM pg_stat_wal_receiver), timeline_id)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS held
  FROM pg_control_checkpoint()`

type seenState struct {
	InRecovery bool  `db:"in_recovery"`
	Timeline   int32 `db:"timeline"`
	Streaming  bool  `db:"streaming"`
	Held       bool  `db:"held"`
}

// State asks both servers. One that does not answer is part of the state, not
// an error: only a ctx that ends first is one. Each has a third of the time that
// ctx leaves, and one second where ctx has no deadline.
func (d *DB) State(ctx context.Context) (State, error) {
	limit := patience(ctx)
	primary, ofPrimary := look(ctx, limit, d.control.Primary)
	standby, ofStandby := look(ctx, limit, d.control.Standby())
	state := State{Primary: ofPrimary, Standby: ofStandby, Streaming: standby.Streaming && !primary.InRecovery && ofPrimary.Err == nil, Held: standby.Held}
	if err := context.Cause(ctx); err != nil {
		return State{}, fmt.Errorf("look at the pair: %w", err)
	}
	return state, nil
}

// patience is how long to wait for each server: a frozen one takes connections
// and says nothing, and the other one is still to be asked.
func patience(ctx context.Context) time.Duration {
	const usual, share = time.Second, 3
	if end, known := ctx.Deadline(); known {
		return time.Until(end) / share
	}
	return usual
}

func look(ctx context.Context, limit time.Duration, node *pair.Node) (seenState, Server) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	seen, err := pair.OneRow[seenState](ctx, node, stateSQL)
	return seen, Server{Err: err, InRecovery: seen.InRecovery, Timeline: seen.Timeline}
}
