package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// partitionChecks is the chapter "partition": the primary and its standby
// cannot talk, or talk slowly, or one of them is frozen.
func partitionChecks() []Check {
	return slices.Concat(partitionCut(), partitionLink(), partitionFrozen())
}

// partitionNeeds are those of all checks of the chapter.
func partitionNeeds() Needs { return Needs{Operator: true, Superuser: true, Exclusive: true} }

const (
	// silence is how long both ends bear a silent peer while a check has
	// shortened that.
	silence = 3 * time.Second
	// gapBound is how long a client that commits may have to wait while
	// something is wrong with the standby only.
	gapBound = 5 * time.Second
)

// shortenTimeouts has both ends give up a silent peer after a time that a
// check can wait for, instead of the 60 s of the defaults.
func (c *C) shortenTimeouts(standby *pair.Node) {
	c.Set(c.Pair().Primary, "wal_sender_timeout", silence.String(), silence.String())
	c.Set(standby, "wal_receiver_timeout", silence.String(), silence.String())
	c.retryQuickly(standby)
	c.StreamsAgain(standby)
}

// retryQuickly has a standby that has lost its stream ask for it again soon: it
// would wait for 5 s by default.
func (c *C) retryQuickly(standby *pair.Node) {
	c.Set(standby, "wal_retrieve_retry_interval", "200ms", "200ms")
}

// watchLag samples how far a standby is behind, as its own position and the
// primary's tell it.
func (c *C) watchLag(standby *pair.Node) *Watch {
	return c.Watch("lag", "bytes", func(ctx context.Context) (float64, error) {
		seen, err := standby.ReplayedLSN(ctx)
		if err != nil {
			return 0, err
		}
		// Asked second: it is never before the standby's.
		written, err := c.Pair().Primary.CurrentLSN(ctx)
		return float64(written - min(seen, written)), err
	})
}

// mustCommitSwiftly fails unless a ledger's client never had to wait long.
func (c *C) mustCommitSwiftly(ledger *Ledger) {
	gap := ledger.LongestGap()
	c.Measure("longest-gap-between-commits", milliseconds(gap), "ms")
	if gap > gapBound {
		c.Errorf("a client of %s waited %s for a commit, must be %s at most: %s", c.Pair().Primary.Name(), gap.Round(time.Millisecond), gapBound,
			"nothing but the standby was impaired")
	}
}

// mustNotHaveRestarted fails when a server is not the one it was.
func (c *C) mustNotHaveRestarted(node *pair.Node, before time.Time) {
	if now := c.serverBegan(node); !now.Equal(before) {
		c.Errorf("%s was started at %s and again at %s", node.Name(), before, now)
	}
}
