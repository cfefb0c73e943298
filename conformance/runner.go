package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	// cleanupLimit bounds what follows a check: its clean-up, a health check.
	cleanupLimit = time.Minute
	// stopLimit bounds how long a check may go on after its context has ended.
	stopLimit = 10 * time.Second
)

// runner executes checks on one target, one after the other.
type runner struct {
	target   *Target
	facts    serverFacts
	wear     wear
	stage    stage
	scratch  string  // begins the names of what the checks create
	patience float64 // factor on time limits
	announce func(Check)
	keep     bool                                         // whatever would change the servers ends with the first red check
	witness  func(context.Context, Check, *Target) string // or nil

	preparing sync.Mutex // guards what follows, and wear and stage
	working   int        // checks that are being executed
	kept      string     // the check that has failed on servers that are kept
}

func newRunner(ctx context.Context, target *Target, chosen choices) (*runner, error) {
	facts, err := askServer(ctx, target)
	if err != nil {
		return nil, err
	}
	return &runner{
		target: target, facts: facts, scratch: newScratch(), patience: chosen.patience,
		announce: chosen.announce, witness: chosen.witness, keep: chosen.keep,
	}, nil
}

// end removes what checks have left: one that failed may have done so because
// its servers did not do what it asked, its clean-up included.
// Servers that somebody operates are thrown away as a whole.
func (r *runner) end(ctx context.Context) error {
	var failed error
	if ctx.Err() != nil {
		failed = fmt.Errorf("verify %s: %w", r.target.Name, context.Cause(ctx))
	}
	if r.disposable() || r.target.ReadOnly {
		return failed
	}
	return errors.Join(failed, r.sweep(ctx))
}

func (r *runner) disposable() bool { return r.target.disposable() }

// run executes one check and gives its result.
func (r *runner) run(ctx context.Context, check Check) Result {
	if reason := r.unmet(check); reason != "" {
		return Result{Check: check, Verdict: Skip, Reasons: []string{reason}}
	}
	r.announce(check)
	if check.Each && len(r.target.Pair.Standbys) > 1 {
		return r.runOnEach(ctx, check)
	}
	return r.runOn(ctx, r.target, check)
}

// runOn executes one check on the target, or on the target as seen otherwise.
func (r *runner) runOn(ctx context.Context, target *Target, check Check) Result {
	start := time.Now()
	result := Result{Check: check}
	c := &C{target: target, check: check, sessions: map[*pair.Node]*Session{}, stage: &r.stage, scratch: r.scratch, patience: r.patience}
	if err := r.prepare(ctx, check); err != nil {
		c.breakWith(fmt.Errorf("pair is not healthy before the check: %w", err))
	} else {
		r.execute(ctx, c)
		r.inspect(ctx, c)
	}
	r.show(ctx, c)
	c.conclude(&result)
	result.Duration = time.Since(start)
	return result
}

// unmet gives the reason to skip a check, or "".
func (r *runner) unmet(check Check) string {
	if r.target.ReadOnly && !check.ReadsOnly {
		return "creates or changes something, and the run is read-only"
	}
	needs := check.Needs
	if check.Consumes {
		needs = needs.disposable()
	}
	return cmp.Or(needs.unmet(r.target, r.facts), r.spares(check))
}

// judged is told each verdict.
func (r *runner) judged(result Result) {
	r.preparing.Lock()
	defer r.preparing.Unlock()
	if r.keep && r.kept == "" && result.Verdict.Red() {
		r.kept = result.Check.ID
	}
}

// spares gives the reason not to touch servers that a check has failed on, or "".
func (r *runner) spares(check Check) string {
	r.preparing.Lock()
	defer r.preparing.Unlock()
	touches := check.Disturbs || check.Consumes || check.Needs.Disposable || r.wear != whole
	if r.kept == "" || !touches {
		return ""
	}
	return "would change the servers, which are kept as they were when " + r.kept + " failed"
}

// execute runs the check's function in a goroutine of its own, so that
// FailNow can end it, and then its clean-up.
func (r *runner) execute(ctx context.Context, c *C) {
	limit := c.scaled(c.check.limit())
	tooLong := fmt.Errorf("check took longer than its limit of %s", limit)
	limited, cancel := context.WithTimeoutCause(ctx, limit, tooLong)
	defer cancel()
	c.ctx, c.began = limited, time.Now()
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
			c.untidy = true
			return
		}
	}
	if errors.Is(context.Cause(limited), tooLong) {
		c.explain(tooLong)
	}
	c.describeServers()
	r.show(ctx, c)
	c.cleanUp(ctx)
}

// explain says why a check has failed that was cut off, unless it says so itself.
func (c *C) explain(cause error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	said := func(reason string) bool { return strings.Contains(reason, cause.Error()) }
	if len(c.reasons) > 0 && !c.skipped && !slices.ContainsFunc(c.reasons, said) {
		c.reasons = append(c.reasons, cause.Error())
	}
}

// show lets the witness look at the servers of a check that has failed, once.
func (r *runner) show(ctx context.Context, c *C) {
	if r.witness == nil || c.shown || !c.Failed() || c.skipped {
		return
	}
	c.shown = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lengthened(cleanupLimit, c.patience))
	defer cancel()
	if note := r.witness(ctx, c.check, c.target); note != "" {
		c.Logf("%s", note)
	}
}

func (c *C) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lengthened(cleanupLimit, c.patience))
	defer cancel()
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		if err := c.cleanups[i](ctx); err != nil && !c.check.Consumes { // what is thrown away need not be tidy
			c.afterwards(fmt.Errorf("clean up after the check: %w", err))
		}
	}
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
	result.Series, result.Faults = slices.Clone(c.series), slices.Clone(c.windows)
	if result.Verdict != Pass {
		result.Reasons = append(result.Reasons, c.log...)
	}
}
