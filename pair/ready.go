package pair

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// readyInterval is the pause between two looks at a server that is starting:
// short enough to notice readiness within a few hundredths of a second, long
// enough not to load a server that is busy starting.
const readyInterval = 20 * time.Millisecond

// baseBackupName is the application name of a base backup's WAL stream, which
// pg_stat_replication shows as streaming like a standby's.
const baseBackupName = "pg_basebackup"

// ErrNoFact is the cause of a wait whose servers answered without error but
// never with the fact that was waited for.
var ErrNoFact = errors.New("servers answer, but the fact does not hold")

// ErrOtherCluster says that a standby replicates another cluster than the
// primary's: their system identifiers differ.
var ErrOtherCluster = errors.New("system identifiers differ: the servers are two clusters, not a pair")

// NotReadyError says which fact of a working pair was missing when the wait
// ended. It unwraps to the last error of the server and to the context's.
type NotReadyError struct {
	Node   string        // which server
	Fact   string        // what it should do
	Waited time.Duration // since the wait began
	Since  time.Duration // how long this fact alone has been waited for
	Last   error         // the last answer of the server, or ErrNoFact
	Cause  error         // why the wait ended
}

// SQLState is the SQLSTATE of the server's last answer, or "".
func (e *NotReadyError) SQLState() string { return SQLState(e.Last) }

// Error names node, fact, times and the last answer.
func (e *NotReadyError) Error() string {
	state := ""
	if code := e.SQLState(); code != "" {
		state = " [SQLSTATE " + code + "]"
	}
	return fmt.Sprintf("wait for pair: %s: no %q for %s of %s: %v%s (%v)",
		e.Node, e.Fact, e.Since.Round(time.Millisecond), e.Waited.Round(time.Millisecond), e.Last, state, e.Cause)
}

// Unwrap gives the last answer and the reason the wait ended.
func (e *NotReadyError) Unwrap() []error { return []error{e.Last, e.Cause} }

// WaitReady waits until replication really works, at most until ctx ends:
// the primary accepts writes, each standby is in recovery, belongs to the
// same cluster, streams the primary's timeline as seen from both ends, and has
// replayed what the primary had written. The stream of a base backup does not count.
// Errors are *NotReadyError, at once where it unwraps to ErrNotVisible; a standby of another cluster is ErrOtherCluster.
// A standby that has left recovery never returns to it by itself: that is a
// *TwoPrimariesError, at once, or a plain ErrTwoPrimaries where one of them
// can no longer be asked.
func (p *Pair) WaitReady(ctx context.Context) error {
	wait := newWait(ctx)
	var primary Claim
	err := wait.until(p.Primary, "primary is out of recovery", func(ctx context.Context) (ok bool, err error) {
		primary, ok, err = p.Primary.Claim(ctx)
		return ok, err
	})
	if err != nil {
		return err
	}
	for _, standby := range p.Standbys {
		if err := p.waitStandby(wait, primary, standby); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pair) waitStandby(wait *wait, primary Claim, standby *Node) error {
	var identity Identity
	err := wait.until(standby, "standby answers", func(ctx context.Context) (bool, error) {
		var err error
		identity, err = standby.Identity(ctx)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	if !identity.InRecovery {
		return fmt.Errorf("wait for pair: %w", twoPrimaries(wait.ctx, p.Primary, standby))
	}
	if identity.SystemIdentifier != primary.SystemIdentifier {
		return fmt.Errorf("compare %s (%d) with %s (%d): %w", p.Primary.name, primary.SystemIdentifier,
			standby.name, identity.SystemIdentifier, ErrOtherCluster)
	}
	// An old primary that cannot follow a promoted one streams too, its own
	// timeline up to where the other left it, again and again; and it may stand
	// at a later position.
	receive := func(ctx context.Context) (receiver WALReceiver, streams bool, err error) {
		receiver, ok, err := standby.WALReceiver(ctx)
		return receiver, ok && receiver.Status == "streaming" && receiver.Timeline == primary.Timeline, err
	}
	err = wait.until(standby, fmt.Sprintf("WAL receiver streams timeline %d", primary.Timeline), func(ctx context.Context) (bool, error) {
		_, streams, err := receive(ctx)
		return streams, err
	})
	if err != nil {
		return err
	}
	err = wait.until(p.Primary, "WAL sender streams to "+standby.name, func(ctx context.Context) (bool, error) {
		// Asked anew: a receiver says that it streams before it knows the name
		// of a temporary slot.
		receiver, streams, err := receive(ctx)
		if err != nil || !streams {
			return false, err
		}
		_, sender, err := p.Upstream(ctx, standby, receiver)
		return sender != nil, err
	})
	if err != nil {
		return err
	}
	var lsn LSN
	err = wait.until(p.Primary, "primary tells its position", func(ctx context.Context) (bool, error) {
		var err error
		lsn, err = p.Primary.CurrentLSN(ctx)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return wait.until(standby, fmt.Sprintf("standby has replayed %s", lsn), func(ctx context.Context) (bool, error) {
		seen, err := standby.ReplayedLSN(ctx)
		return seen >= lsn, err
	})
}

// wait is one wait for several facts in turn, with one clock and one deadline.
type wait struct {
	ctx   context.Context //nolint:containedctx // it lives for one call only
	start time.Time
}

func newWait(ctx context.Context) *wait { return &wait{ctx: ctx, start: time.Now()} }

// until polls one fact. Errors of the server are expected while it starts:
// they are remembered, not returned, until ctx ends.
func (w *wait) until(node *Node, fact string, holds func(context.Context) (bool, error)) error {
	began := time.Now()
	last := ErrNoFact
	err := Poll(w.ctx, readyInterval, func(ctx context.Context) (bool, error) {
		ok, err := holds(ctx)
		switch {
		case err == nil:
			last = ErrNoFact
		case ctx.Err() == nil:
			// An error that the deadline itself caused says nothing about the server.
			last = err
		}
		if errors.Is(err, ErrNotVisible) { // no waiting helps
			return false, err
		}
		return ok && err == nil, nil
	})
	if err == nil {
		return nil
	}
	return &NotReadyError{
		Node: node.name, Fact: fact, Last: last, Cause: err,
		Waited: time.Since(w.start), Since: time.Since(began),
	}
}
