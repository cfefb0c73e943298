package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// wear is what checks have made of the servers.
type wear int

const (
	whole  wear = iota
	broken      // the standby does not stream: a new base backup may do
	usedUp      // roles, timelines or data have changed: only new servers will do
)

const (
	// healthLimit bounds a look at a pair that should be healthy.
	healthLimit = time.Minute
	// brokenLimit bounds a look at a pair whose check has failed.
	brokenLimit = 2 * time.Second
	// renewLimit bounds making the servers anew.
	renewLimit = 5 * time.Minute
)

var errUnhealthy = errors.New("not healthy in time")

// prepare makes sure that the check finds a pair in good order. Unless it
// fails, inspect must follow.
func (r *runner) prepare(ctx context.Context, check Check) error {
	r.preparing.Lock() // of checks beside one another the first one mends
	defer r.preparing.Unlock()
	if r.working == 0 { // else others are at work on the servers as they are
		if err := r.mend(ctx, check); err != nil {
			return err
		}
	}
	r.working++
	return nil
}

func (r *runner) mend(ctx context.Context, check Check) error {
	if r.stage.shows(check) {
		return nil
	}
	if r.stage.scene != nil { // checks beside one another have none, and must not write
		r.stage = stage{}
	}
	if r.wear == whole && (check.Disturbs || check.Consumes) && r.healthy(ctx, healthLimit) != nil {
		r.wear = broken
	}
	if r.wear == whole {
		return nil
	}
	if err := r.renew(ctx); err != nil {
		return fmt.Errorf("renew servers: %w", err)
	}
	r.wear = whole
	return nil
}

// inspect looks at what the check has left. A check that passed and should
// have healed what it broke must leave a healthy pair.
func (r *runner) inspect(ctx context.Context, c *C) {
	r.preparing.Lock()
	defer r.preparing.Unlock()
	r.working--
	switch {
	case c.check.Consumes:
		r.wear = usedUp
		if c.Failed() && !c.skipped {
			r.stage = stage{} // nobody knows what is left of it
		}
	case !c.check.Disturbs:
	case c.Failed():
		if c.lost != nil || r.healthy(ctx, brokenLimit) != nil {
			r.wear = broken
		}
	default:
		if err := r.healthy(ctx, healthLimit); err != nil {
			r.wear = broken
			c.breakWith(fmt.Errorf("pair is not healthy after the check: %w", err))
		}
	}
	if c.untidy {
		r.wear = usedUp
	}
}

func (r *runner) healthy(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lengthened(limit, r.patience), errUnhealthy)
	defer cancel()
	return r.target.Pair.WaitReady(ctx)
}

// renew makes the servers a pair again, in the cheapest way that does.
func (r *runner) renew(ctx context.Context) error {
	if !r.disposable() {
		return r.healthy(ctx, healthLimit)
	}
	ctx, cancel := context.WithTimeout(ctx, lengthened(renewLimit, r.patience))
	defer cancel()
	if r.wear == broken && r.cloneAgain(ctx) == nil {
		return nil
	}
	r.target.Pair.Close()
	if err := r.target.Operator.Discard(ctx); err != nil {
		return err
	}
	return r.target.Operator.Up(ctx, Instance{})
}

const (
	checkpointSQL = `CHECKPOINT`
	lostSlotSQL   = `SELECT EXISTS (SELECT FROM pg_replication_slots WHERE wal_status = 'lost')`
)

// cloneAgain gives the standbys new base backups of a primary that is intact.
func (r *runner) cloneAgain(ctx context.Context) error {
	asked, cancel := context.WithTimeoutCause(ctx, lengthened(brokenLimit, r.patience), errUnhealthy)
	defer cancel()
	primary := r.target.Pair.Primary
	if identity, err := primary.Identity(asked); err != nil || identity.InRecovery {
		return errors.Join(err, errUnhealthy)
	}
	if lost, err := pair.One[bool](asked, primary, lostSlotSQL); err == nil && lost {
		return errUnhealthy // a base backup does not bring that slot back
	}
	// Base backups begin with a checkpoint, and one that asks for no fast
	// checkpoint waits 0.1 s for each page that is left to write.
	if err := primary.Exec(asked, checkpointSQL); err != nil && pair.SQLState(err) == "" {
		return err
	}
	for _, standby := range r.target.Pair.Standbys {
		standby.Close()
		if err := r.target.Operator.Recreate(ctx, standby.Name(), true); err != nil {
			return err
		}
	}
	return r.healthy(ctx, healthLimit)
}

// hopeless are log lines after which a standby does not come back by itself.
var hopeless = [...]string{ //nolint:gochecknoglobals // a constant list
	`exists but is not empty`, // its clone loop met the data of an earlier start
}

// returnLimit bounds how long a standby may take to stream again.
const returnLimit = 90 * time.Second

// StreamsAgain waits until the standby streams and has replayed what the
// primary has, and gives how long that took from the call on. A standby that
// evidently cannot come back fails the check at once.
func (c *C) StreamsAgain(standby *pair.Node) time.Duration { return c.streams(c.Pair(), standby) }

// streams is StreamsAgain for a pair that may have other roles than the target's.
func (c *C) streams(servers *pair.Pair, standby *pair.Node) time.Duration {
	return c.returns(standby, "does not stream again", hopeless[:], servers.WaitReady)
}

// ServesAgain waits until a node answers a query, and gives how long that took
// from the call on. A node that evidently cannot come back, or logs one of
// some more texts, fails the check at once.
func (c *C) ServesAgain(node *pair.Node, orLogs ...string) time.Duration {
	const interval = 20 * time.Millisecond
	return c.returns(node, "does not answer again", append(orLogs, hopeless[:]...), func(ctx context.Context) error {
		var last error
		err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
			_, err := node.InRecovery(ctx)
			if ctx.Err() == nil {
				last = err
			}
			return err == nil, nil
		})
		return errors.Join(err, last)
	})
}

func (c *C) returns(node *pair.Node, failure string, giveUpAt []string, wait func(context.Context) error) time.Duration {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.scaled(returnLimit), errUnhealthy)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(ctx, node, began, giveUpAt, giveUp)
	}()
	err := wait(ctx)
	hopeless := context.Cause(ctx) != nil && !errors.Is(context.Cause(ctx), errUnhealthy) && c.ctx.Err() == nil
	giveUp(nil)
	<-watched
	if err != nil {
		if hopeless {
			c.lost = node
		}
		c.Fatalf("%s %s, %s after: %v\n%s", node.Name(), failure, time.Since(began).Round(time.Millisecond), err, c.describe(node))
	}
	return time.Since(began)
}

// watch gives up when the node logs something hopeless, or has ended with
// nobody to start it again.
func (c *C) watch(ctx context.Context, node *pair.Node, since time.Time, hopeless []string, giveUp context.CancelCauseFunc) {
	if c.Operator() == nil {
		return
	}
	const interval = 250 * time.Millisecond
	_ = pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) { // it ends with ctx, which is no news
		if state, err := c.Operator().Inspect(ctx, node.Name()); err == nil && state.gone() {
			giveUp(fmt.Errorf("its container has ended with exit code %d, and its restart policy is %q", state.ExitCode, state.Restart))
			return true, nil
		}
		log, err := c.Operator().Logs(ctx, node.Name(), since)
		if err != nil {
			return false, nil //nolint:nilerr // a container that is not there yet has no log
		}
		if line := lastLineWith(log, hopeless...); line != "" {
			giveUp(fmt.Errorf("its log says: %s", line))
			return true, nil
		}
		return false, nil
	})
}
