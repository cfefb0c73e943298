package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func unitRunner() *runner {
	target := &Target{Name: "nothing", Pair: &pair.Pair{Standbys: make([]*pair.Node, 1)}}
	return &runner{target: target, facts: serverFacts{major: 15}, announce: apply(nil).announce}
}

func TestVerdicts(t *testing.T) {
	cause := errors.New("the engine fell over")
	for name, test := range map[string]struct {
		run     func(c *C)
		verdict Verdict
		reason  string
	}{
		"a check that finds nothing wrong": {func(*C) {}, Pass, ""},
		"a failure":                        {func(c *C) { c.Errorf("saw %d", 7) }, Fail, "saw 7"},
		"a fatal failure":                  {func(c *C) { c.Fatalf("saw %d", 7); panic("goes on") }, Fail, "saw 7"},
		"an assertion":                     {func(c *C) { require.Equal(c, 1, 2, "the answer") }, Fail, "the answer"},
		"a stop without a reason":          {func(c *C) { c.FailNow() }, Fail, "check stopped without saying why"},
		"a skip":                           {func(c *C) { c.Skipf("no %s here", "port") }, Skip, "no port here"},
		"a skip after a failure":           {func(c *C) { c.Errorf("broken"); c.Skipf("unlucky") }, Fail, "broken"},
		"a broken harness":                 {func(c *C) { c.Harness(cause) }, Error, "the engine fell over"},
		"a harness that works":             {func(c *C) { c.Harness(nil) }, Pass, ""},
		"a panic":                          {func(*C) { panic("oh") }, Error, "check panicked: oh"},
		"a clean-up that fails": {
			func(c *C) { c.Cleanup(func(context.Context) error { return cause }) }, Error, "clean up after the check: the engine fell over",
		},
		"a failure, then a clean-up that fails": {
			func(c *C) { c.Cleanup(func(context.Context) error { return cause }); c.Errorf("broken") }, Fail, "broken",
		},
		"a wait that nothing ends": {
			func(c *C) {
				c.Eventually("the sky falls", 5*time.Millisecond, func(context.Context) (bool, string, error) { return false, "blue sky", nil })
			}, Fail, "the sky falls: not within 5ms; last seen: blue sky",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := unitRunner().run(t.Context(), Check{ID: "unit/test", Run: test.run})
			assert.Equal(t, test.verdict, result.Verdict)
			if test.reason == "" {
				assert.Empty(t, result.Reasons)
				return
			}
			require.NotEmpty(t, result.Reasons)
			assert.Contains(t, result.Reasons[0], test.reason)
		})
	}
}

func TestCheckEndsAtItsLimit(t *testing.T) {
	result := unitRunner().run(t.Context(), Check{ID: "unit/test", Limit: 10 * time.Millisecond, Run: func(c *C) {
		<-c.Context().Done()
		c.Errorf("%v", context.Cause(c.Context()))
	}})
	assert.Equal(t, Fail, result.Verdict)
	assert.Equal(t, []string{"check took longer than its limit of 10ms"}, result.Reasons)
}

// Drivers say that a deadline has passed, and not which.
func TestCheckThatWasCutOffSaysSo(t *testing.T) {
	result := unitRunner().run(t.Context(), Check{ID: "unit/test", Limit: 10 * time.Millisecond, Run: func(c *C) {
		<-c.Context().Done()
		c.Errorf("query: %v", c.Context().Err())
	}})
	assert.Equal(t, Fail, result.Verdict)
	assert.Equal(t, []string{"query: context deadline exceeded", "check took longer than its limit of 10ms"}, result.Reasons)
}

func TestServersOfFailedCheckAreKept(t *testing.T) {
	failed := Result{Check: Check{ID: "unit/fails"}, Verdict: Fail}
	for _, test := range []struct {
		name   string
		keep   bool
		before Result
		wear   wear
		check  Check
		spared bool
	}{
		{"a check that looks", true, failed, whole, Check{}, false},
		{"a check that breaks something", true, failed, whole, Check{Disturbs: true}, true},
		{"a check that uses them up", true, failed, whole, Check{Consumes: true}, true},
		{"a check that removes them", true, failed, whole, Check{Needs: Needs{Disposable: true}}, true},
		{"servers that would be made anew first", true, failed, usedUp, Check{}, true},
		{"nobody wants them", false, failed, whole, Check{Disturbs: true}, false},
		{"nothing has failed", true, Result{Verdict: Deviation}, whole, Check{Disturbs: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			runner := unitRunner()
			runner.keep, runner.wear = test.keep, test.wear
			runner.judged(test.before)
			reason := runner.unmet(test.check)
			assert.Equal(t, test.spared, reason != "", reason)
			if test.spared {
				assert.Contains(t, reason, "kept as they were when unit/fails failed")
			}
		})
	}
}

func TestCleanupRunsBackwards(t *testing.T) {
	var order []string
	note := func(what string) func(context.Context) error {
		return func(ctx context.Context) error {
			order = append(order, what)
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := unitRunner().run(ctx, Check{ID: "unit/test", Run: func(c *C) {
		c.Cleanup(note("first"))
		c.Cleanup(note("second"))
		cancel() // clean-up must not be cancelled with the run
	}})
	assert.Equal(t, Pass, result.Verdict)
	assert.Equal(t, []string{"second", "first"}, order)
}

// Who looks at the servers of a failed check sees them as it left them.
func TestWitnessComesBeforeTheCleanUp(t *testing.T) {
	for name, test := range map[string]struct {
		run    func(c *C)
		seen   []string
		reason string
	}{
		"a failure":           {func(c *C) { c.Errorf("saw 7") }, []string{"unit/test", "cleaned up"}, "kept"},
		"the harness's fault": {func(c *C) { c.Harness(errors.New("fell over")) }, []string{"unit/test", "cleaned up"}, "kept"},
		"success":             {func(*C) {}, []string{"cleaned up"}, ""},
		"a skip":              {func(c *C) { c.Skipf("not here") }, []string{"cleaned up"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			runner := unitRunner()
			var seen []string
			runner.witness = func(_ context.Context, check Check, target *Target) string {
				assert.Same(t, runner.target, target)
				seen = append(seen, check.ID)
				return "kept"
			}
			result := runner.run(t.Context(), Check{ID: "unit/test", Run: func(c *C) {
				c.Cleanup(func(context.Context) error {
					seen = append(seen, "cleaned up")
					return nil
				})
				test.run(c)
			}})
			assert.Equal(t, test.seen, seen)
			if test.reason != "" {
				assert.Equal(t, test.reason, result.Reasons[len(result.Reasons)-1])
			}
		})
	}
}

func TestUnmetNeeds(t *testing.T) {
	for name, test := range map[string]struct {
		needs  Needs
		reason string
	}{
		"nothing":       {Needs{}, ""},
		"an operator":   {Needs{Operator: true}, "needs an operator: nobody here can stop or break the servers"},
		"superuser":     {Needs{Superuser: true}, "needs superuser on both nodes"},
		"a replicator":  {Needs{Replicator: true}, "needs credentials of a replication role"},
		"exclusiveness": {Needs{Exclusive: true}, "needs servers that nobody else uses"},
		"two standbys":  {Needs{Standbys: 2}, "needs 2 standbys, there is 1"},
		"a newer one":   {Needs{Since: 16}, "holds since PostgreSQL 16, the server is 15"},
		"an older one":  {Needs{Until: 14}, "holds until PostgreSQL 14, the server is 15"},
		"this very one": {Needs{Since: 15, Until: 15}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := unitRunner().run(t.Context(), Check{ID: "unit/test", Needs: test.needs, Run: func(*C) {}})
			if test.reason == "" {
				assert.Equal(t, Pass, result.Verdict)
				return
			}
			assert.Equal(t, Skip, result.Verdict)
			assert.Equal(t, []string{test.reason}, result.Reasons)
		})
	}
}

func TestCoreIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, check := range Core() {
		t.Run(check.ID, func(t *testing.T) {
			assert.Regexp(t, `^[a-z]+/[a-z0-9-]+$`, check.ID)
			assert.False(t, seen[check.ID], "the id is unique")
			assert.Regexp(t, `\b(must|should)\b.*[.]$`, check.Obligation)
			assert.Contains(t, []Level{Must, Should}, check.Level)
			assert.NotEmpty(t, check.Source)
			assert.NotNil(t, check.Run)
			assert.False(t, check.Beside && (check.Disturbs || check.Consumes), "what breaks something runs alone")
		})
		seen[check.ID] = true
	}
}

func TestScratchNamesFitAndDiffer(t *testing.T) {
	check := Check{ID: "propagation/something-with-a-very-long-name-indeed"}
	first, second := scratchName(newScratch(), check), scratchName(newScratch(), check)
	assert.NotEqual(t, first, second)
	assert.LessOrEqual(t, len(first), 63)
	assert.Regexp(t, `^conformance_[a-z0-9_]+$`, first)
}

func TestKnownDeviations(t *testing.T) {
	known := Deviations{"unit/test": {Check: "unit/test", Reason: "as published", Consequence: "it hurts", Cure: "mend it"}}
	for name, test := range map[string]struct {
		run     func(c *C)
		verdict Verdict
		reason  string
	}{
		"a known failure":           {func(c *C) { c.Errorf("saw %d", 7) }, Deviation, "as published"},
		"a failure that is no more": {func(*C) {}, Fixed, "take it off the list"},
		"a skip stays a skip":       {func(c *C) { c.Skipf("not here") }, Skip, "not here"},
		"an error stays an error":   {func(c *C) { c.Harness(errors.New("fell over")) }, Error, "fell over"},
	} {
		t.Run(name, func(t *testing.T) {
			result := unitRunner().run(t.Context(), Check{ID: "unit/test", Run: test.run})
			known.judge(&result)
			assert.Equal(t, test.verdict, result.Verdict)
			assert.Contains(t, result.Reasons[0], test.reason)
		})
	}
}
