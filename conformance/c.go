package conformance

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// C is what a running check holds: the target, a context that ends at the
// check's limit, and the collected failures. It implements require.TestingT
// of testify. Its methods are for the check's own goroutine, except Errorf,
// Logf, Measure and Context.
type C struct {
	ctx    context.Context //nolint:containedctx // a C lives for one check, like testing.T
	target *Target
	check  Check
	schema string
	began  time.Time
	stage  *stage

	scratch  string  // begins the names of what the run creates
	patience float64 // factor on time limits; 0 is 1

	sessions map[*pair.Node]*Session
	cleanups []func(context.Context) error

	mutex   sync.Mutex
	reasons []string
	log     []string
	figures []Figure
	series  []Series
	windows []Window
	skipped bool
	broken  bool // the harness failed, not the target

	lost   *pair.Node // does not come back by itself, as it was seen to tell
	shown  bool       // the witness has seen the servers
	untidy bool       // something may have stayed on the primary: only new servers will do
}

// Context ends at the check's limit or when the run is interrupted.
func (c *C) Context() context.Context { return c.ctx }

// Pair is the servers, for facts that need no schema.
func (c *C) Pair() *pair.Pair { return c.target.Pair }

// Operator is what can break the servers; set when the check needs one.
func (c *C) Operator() Operator { return c.target.Operator }

// Replicator is the replication role; set when the check needs one.
func (c *C) Replicator() Replicator { return c.target.Replicator }

// Helper is there for testify and does nothing.
func (c *C) Helper() {}

// Errorf records a failure of the target and goes on.
func (c *C) Errorf(format string, arguments ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.reasons = append(c.reasons, tidyMessage(fmt.Sprintf(format, arguments...)))
}

// FailNow ends the check.
func (c *C) FailNow() {
	if !c.Failed() {
		c.Errorf("check stopped without saying why")
	}
	runtime.Goexit()
}

// Fatalf records a failure of the target and ends the check.
func (c *C) Fatalf(format string, arguments ...any) {
	c.Errorf(format, arguments...)
	runtime.Goexit()
}

// Failed says whether a failure has been recorded.
func (c *C) Failed() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.reasons) > 0
}

// Skipf ends the check without a verdict on the target, with the reason.
// A check that has already failed stays failed.
func (c *C) Skipf(format string, arguments ...any) {
	if !c.Failed() {
		c.Errorf(format, arguments...)
		c.mutex.Lock()
		c.skipped = true
		c.mutex.Unlock()
	}
	runtime.Goexit()
}

// Harness ends the check with verdict error if err is not nil: what failed is
// the operator or the suite, not the target.
func (c *C) Harness(err error) {
	if err == nil {
		return
	}
	c.breakWith(err)
	runtime.Goexit()
}

// Logf notes something for the reader of the results; it does not fail.
func (c *C) Logf(format string, arguments ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.log = append(c.log, fmt.Sprintf(format, arguments...))
}

// Measure records a figure.
func (c *C) Measure(name string, value float64, unit string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.figures = append(c.figures, Figure{Name: name, Value: value, Unit: unit})
}

// Cleanup has undo run after the check, the last first, with a context of its
// own. An error of it is an error of the harness: something may be left behind.
func (c *C) Cleanup(undo func(context.Context) error) { c.cleanups = append(c.cleanups, undo) }

type closer interface {
	Close(ctx context.Context) error
}

// closeAfter closes a connection after the check. What that says is no matter:
// nothing is left of one that was broken either, which TLS calls an error.
func (c *C) closeAfter(connection closer) {
	c.Cleanup(func(ctx context.Context) error {
		_ = connection.Close(ctx)
		return nil
	})
}

// flushAllSQL makes every commit before it a flushed one, where the servers'
// default is not to wait for that: the primary's position covers only those.
//
// Source: PostgreSQL documentation, "Asynchronous Commit".
const flushAllSQL = `
SELECT set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'conformance', '')
 WHERE current_setting('synchronous_commit') = 'off'`

func (c *C) flushAll() {
	if err := c.Pair().Primary.Exec(c.ctx, flushAllSQL); err != nil {
		c.Fatalf("%v", err)
	}
}

// Replay waits until the standbys have replayed what the primary has written.
func (c *C) Replay() {
	c.flushAll()
	if err := c.Pair().WaitForReplay(c.ctx); err != nil {
		c.Fatalf("%v", err)
	}
}

// scaled is a time limit on this machine: see WithTimeoutFactor.
func (c *C) scaled(limit time.Duration) time.Duration {
	return scaled(limit, c.patience)
}

// lengthened is a limit of what is around the checks: a slow machine gets
// more time, and nobody less.
func lengthened(limit time.Duration, patience float64) time.Duration {
	return scaled(limit, max(patience, 1))
}

// scaled is a limit on a machine that needs so many times longer; 0 is once.
func scaled(limit time.Duration, patience float64) time.Duration {
	return time.Duration(float64(limit) * cmp.Or(patience, 1))
}

// Eventually polls a fact until it holds, at most for within, which is a limit
// and no obligation: a slow machine gets more. The failure carries the last
// error, or what seen tells.
func (c *C) Eventually(fact string, within time.Duration, holds func(context.Context) (ok bool, seen string, err error)) {
	c.promptly(fact, c.scaled(within), holds)
}

// promptly is Eventually for a time that the obligation itself names.
func (c *C) promptly(fact string, within time.Duration, holds func(context.Context) (ok bool, seen string, err error)) {
	const interval = 20 * time.Millisecond
	c.poll(interval, fact, within, holds)
}

// eventuallyEvery is Eventually for a fact that is dear to look at.
func (c *C) eventuallyEvery(interval time.Duration, fact string, within time.Duration, holds func(context.Context) (ok bool, seen string, err error)) {
	c.poll(interval, fact, c.scaled(within), holds)
}

func (c *C) poll(interval time.Duration, fact string, within time.Duration, holds func(context.Context) (ok bool, seen string, err error)) {
	ctx, cancel := context.WithTimeoutCause(c.ctx, within, fmt.Errorf("not within %s", within))
	defer cancel()
	last := "nothing seen"
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		ok, seen, err := holds(ctx)
		switch {
		case err == nil:
			last = seen
		case ctx.Err() == nil:
			last = err.Error()
		}
		return ok && err == nil, nil
	})
	if err != nil {
		c.Fatalf("%s: %v; last seen: %s", fact, err, last)
	}
}

// tidyMessage drops the stack trace of a testify message, which points into
// the suite, and keeps what was wrong.
func tidyMessage(message string) string {
	if !strings.Contains(message, "Error Trace:") {
		return strings.TrimSpace(message)
	}
	var kept []string
	tracing := false
	for line := range strings.Lines(message) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "Error Trace:"):
			tracing = true
		case strings.HasPrefix(text, "Error:"):
			tracing = false
			kept = append(kept, strings.TrimSpace(strings.TrimPrefix(text, "Error:")))
		case strings.HasPrefix(text, "Messages:"):
			// What the check says comes before what testify says.
			kept = append([]string{strings.TrimSpace(strings.TrimPrefix(text, "Messages:"))}, kept...)
		case text != "" && !tracing:
			kept = append(kept, text)
		}
	}
	return strings.Join(kept, "\n")
}
