package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	// cleanupLimit bounds what follows a check: its clean-up, a health check.
	cleanupLimit = 30 * time.Second
	// stopLimit bounds how long a check may go on after its context has ended.
	stopLimit = 10 * time.Second
)

// runner executes checks on one target, one after the other.
type runner struct {
	target *Target
	facts  serverFacts
}

func newRunner(ctx context.Context, target *Target) (*runner, error) {
	facts, err := askServer(ctx, target)
	if err != nil {
		return nil, err
	}
	return &runner{target: target, facts: facts}, nil
}

// run executes one check and gives its result.
func (r *runner) run(ctx context.Context, check Check) Result {
	start := time.Now()
	result := Result{Check: check, Verdict: Skip}
	if reason := check.Needs.unmet(r.target, r.facts); reason != "" {
		result.Reasons = []string{reason}
		return result
	}
	c := &C{target: r.target, check: check, sessions: map[*pair.Node]*Session{}}
	if err := r.healthy(ctx, check); err != nil {
		c.breakWith(fmt.Errorf("pair is not healthy before the check: %w", err))
	} else {
		r.execute(ctx, c)
		if err := r.healthy(ctx, check); err != nil {
			c.afterwards(fmt.Errorf("pair is not healthy after the check: %w", err))
		}
	}
	c.conclude(&result)
	result.Duration = time.Since(start)
	return result
}

// execute runs the check's function in a goroutine of its own, so that
// FailNow can end it, and then its clean-up.
func (r *runner) execute(ctx context.Context, c *C) {
	limited, cancel := context.WithTimeoutCause(ctx, c.check.limit(),
		fmt.Errorf("check took longer than its limit of %s", c.check.limit()))
	defer cancel()
	c.ctx = limited
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil {
				c.breakWith(fmt.Errorf("check panicked: %v\n%s", cause, debug.Stack()))
			}
		}()
		c.check.Run(c)
	}()
	select {
	case <-done:
	case <-limited.Done():
		select {
		case <-done:
		case <-time.After(stopLimit):
			// Its goroutine still runs: to close its sessions would be a race.
			c.breakWith(fmt.Errorf("check goes on %s after its context ended", stopLimit))
			return
		}
	}
	c.cleanUp(ctx)
}

func (c *C) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		if err := c.cleanups[i](ctx); err != nil {
			c.afterwards(fmt.Errorf("clean up after the check: %w", err))
		}
	}
}

func (r *runner) healthy(ctx context.Context, check Check) error {
	if !check.Disturbs {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cleanupLimit, errors.New("health check took too long"))
	defer cancel()
	return r.target.Pair.WaitReady(ctx)
}

// breakWith records that the harness failed, not the target.
func (c *C) breakWith(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.broken = true
	c.reasons = append(c.reasons, err.Error())
}

// afterwards records what went wrong once the check was over: the harness's
// fault, unless the check had failed, which then is the likelier cause.
func (c *C) afterwards(err error) {
	if c.Failed() {
		c.Errorf("%v", err)
		return
	}
	c.breakWith(err)
}

// conclude fills in what came of the check.
func (c *C) conclude(result *Result) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case c.broken:
		result.Verdict = Error
	case c.skipped:
		result.Verdict = Skip
	case len(c.reasons) > 0:
		result.Verdict = Fail
	default:
		result.Verdict = Pass
	}
	result.Reasons, result.Figures = slices.Clone(c.reasons), slices.Clone(c.figures)
	if result.Verdict != Pass {
		result.Reasons = append(result.Reasons, c.log...)
	}
}
