package pair

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Claim is what a server out of recovery says of itself: it takes writes.
// Of two claims on one cluster the later timeline is the one that was
// promoted, and the writes of the other since then are on no other server.
type Claim struct {
	Node             string `db:"-"`
	SystemIdentifier int64  `db:"system_identifier"`
	Timeline         int32  `db:"timeline"` // of the WAL it writes; Identity may lag behind it until a checkpoint
	LSN              LSN    `db:"lsn"`      // how far it has written
}

const claimSQL = `
SELECT system_identifier,
       ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int AS timeline,
       pg_current_wal_lsn()::text AS lsn
  FROM pg_control_system()
 WHERE NOT pg_is_in_recovery()`

// Claim asks the node whether it takes writes, and for which cluster and
// timeline; ok is false when it is in recovery.
//
// Source: PostgreSQL documentation, "Backup Control Functions", "WAL Internals".
func (n *Node) Claim(ctx context.Context) (claim Claim, ok bool, err error) {
	claim, err = OneRow[Claim](ctx, n, claimSQL)
	claim.Node = n.name
	if errors.Is(err, pgx.ErrNoRows) {
		return Claim{}, false, nil
	}
	return claim, err == nil, err
}

// TwoPrimariesError says which servers take writes side by side. It is
// ErrTwoPrimaries for errors.Is.
type TwoPrimariesError struct {
	Claims []Claim // in the order in which the servers were asked
}

// SplitBrain says whether the servers are of one cluster: each then takes
// writes that the other lacks.
func (e *TwoPrimariesError) SplitBrain() bool {
	for _, claim := range e.Claims {
		if claim.SystemIdentifier != e.Claims[0].SystemIdentifier {
			return false
		}
	}
	return true
}

// Error names the servers, their clusters, timelines and positions.
func (e *TwoPrimariesError) Error() string {
	var names, states []string
	for _, claim := range e.Claims {
		names = append(names, claim.Node)
		states = append(states, fmt.Sprintf("%s writes timeline %d of cluster %d at %s",
			claim.Node, claim.Timeline, claim.SystemIdentifier, claim.LSN))
	}
	kind := "of two clusters"
	if e.SplitBrain() {
		kind = "of one cluster, split brain"
	}
	return fmt.Sprintf("%s: %v, %s: %s", strings.Join(names, " and "), ErrTwoPrimaries, kind, strings.Join(states, "; "))
}

// Unwrap gives ErrTwoPrimaries.
func (e *TwoPrimariesError) Unwrap() error { return ErrTwoPrimaries }

// twoPrimaries asks servers that were seen out of recovery what they write.
func twoPrimaries(ctx context.Context, nodes ...*Node) error {
	found := &TwoPrimariesError{}
	for _, node := range nodes {
		claim, ok, err := node.Claim(ctx)
		if err != nil || !ok {
			return fmt.Errorf("%s was seen out of recovery, then could not be asked: %w", node.name, errors.Join(ErrTwoPrimaries, err))
		}
		found.Claims = append(found.Claims, claim)
	}
	return found
}
