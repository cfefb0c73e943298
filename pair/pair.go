package pair

import (
	"context"
	"errors"
	"fmt"
)

// Pair is a primary and the standbys that replicate from it.
type Pair struct {
	Primary  *Node
	Standbys []*Node // at least one
}

// Standby is the first standby, which is the only one of a plain pair.
func (p *Pair) Standby() *Node { return p.Standbys[0] }

// Nodes lists the primary and then the standbys.
func (p *Pair) Nodes() []*Node { return append([]*Node{p.Primary}, p.Standbys...) }

// Close ends the connections of all nodes.
func (p *Pair) Close() {
	for _, node := range p.Nodes() {
		node.Close()
	}
}

// WaitForReplay waits until every standby has replayed all that the primary
// had written when it was called: after it, reads on a standby see the
// caller's own committed writes. Commits made with synchronous_commit = off
// are covered only once the WAL writer has written them.
// Errors of the wait are *ReplayError.
func (p *Pair) WaitForReplay(ctx context.Context) error {
	lsn, err := p.Primary.CurrentLSN(ctx)
	if err != nil {
		return fmt.Errorf("take position of the primary: %w", err)
	}
	for _, standby := range p.Standbys {
		if err := standby.WaitReplayed(ctx, lsn); err != nil {
			return err
		}
	}
	return nil
}

// Errors of Discover that no waiting can cure.
var (
	// ErrTwoPrimaries says that several servers are out of recovery: see TwoPrimariesError.
	ErrTwoPrimaries = errors.New("more than one server is a primary")
	// ErrNoPrimary says that every server is in recovery.
	ErrNoPrimary = errors.New("no server is a primary")
	// ErrNoStandby says that there is a primary and nothing else.
	ErrNoStandby = errors.New("no server is a standby")
)

// Discover asks each node whether it is in recovery and sorts them into a
// pair. It waits until all have answered, at most until ctx ends, when the
// error is a *NotReadyError. A set that cannot be a pair is a
// *TwoPrimariesError, ErrNoPrimary or ErrNoStandby, at once.
func Discover(ctx context.Context, nodes ...*Node) (*Pair, error) {
	wait := newWait(ctx)
	found := &Pair{}
	for _, node := range nodes {
		var standby bool
		err := wait.until(node, "server answers over TCP", func(ctx context.Context) (bool, error) {
			var err error
			standby, err = node.InRecovery(ctx)
			return err == nil, err
		})
		switch {
		case err != nil:
			return nil, err
		case standby:
			found.Standbys = append(found.Standbys, node)
		case found.Primary != nil:
			return nil, fmt.Errorf("discover roles: %w", twoPrimaries(ctx, found.Primary, node))
		default:
			found.Primary = node
		}
	}
	switch {
	case found.Primary == nil:
		return nil, fmt.Errorf("discover roles: %w", ErrNoPrimary)
	case len(found.Standbys) == 0:
		return nil, fmt.Errorf("discover roles: %s is a primary: %w", found.Primary.name, ErrNoStandby)
	}
	return found, nil
}
