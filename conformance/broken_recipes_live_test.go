package conformance_test

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const (
	// mutantsAtOnce is how many run side by side, and beside the servers that lie:
	// they wait more than they compute.
	mutantsAtOnce = 3
	// mutantPatience is the factor on the waits of checks that must fail.
	mutantPatience = 0.15
	mutantLimit    = 6 * time.Minute
)

// TestChecksCatchBrokenRecipes runs each mutant of the recipe: the checks that
// it names must fail, by what they look at and not for lack of time, and those
// that have nothing to do with it must pass. By default the quick ones run;
// all of them, some minutes, with CONFORMANCE_MUTANTS=all, and some with
// CONFORMANCE_MUTANTS=slot-unused,apply-delay.
func TestChecksCatchBrokenRecipes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	onlyShipped(t)
	besideLies(t)
	asked := os.Getenv("CONFORMANCE_MUTANTS")
	all := readBrokenRecipes(t)
	engine := openEngine(t, liveLine(t))
	free := make(chan struct{}, mutantsAtOnce)
	var mutex sync.Mutex
	took := map[string]time.Duration{}
	t.Run("mutants", func(t *testing.T) {
		for _, broken := range slowFirst(all) {
			t.Run(broken.Name, func(t *testing.T) {
				if !broken.runs(asked) {
					t.Skip("not among the quick ones; make mutants runs it")
				}
				t.Parallel()
				free <- struct{}{}
				t.Cleanup(func() { <-free }) // once its servers are gone
				seconds := testBrokenRecipe(t, engine, broken)
				if t.Failed() {
					return
				}
				mutex.Lock()
				defer mutex.Unlock()
				took[broken.Name] = seconds
			})
		}
	})
	if *update {
		writeBrokenRecipes(t, all, took)
	}
}

// besideLies lets recipes that are broken and servers that lie be tried at the
// same time, unless both write down what came of it.
func besideLies(t *testing.T) {
	t.Helper()
	if !*update {
		t.Parallel()
	}
}

// slowFirst keeps a long one from running alone at the end.
func slowFirst(all []brokenRecipe) []brokenRecipe {
	return slices.SortedStableFunc(slices.Values(all), func(a, b brokenRecipe) int { return cmp.Compare(b.faults(), a.faults()) })
}

// testBrokenRecipe says after how long the last check that must fail had failed.
func testBrokenRecipe(t *testing.T, engine *stack.Engine, broken brokenRecipe) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient(mutantLimit))
	defer cancel()
	began := time.Now()
	starting, started := context.WithTimeout(ctx, patient(startLimit))
	defer started()
	target, stop, err := live.Start(starting, engine, stack.Options{Files: broken.files(), Name: broken.Name, Isolatable: true})
	if broken.neverStarts() {
		var failure *live.StartError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, broken.CaughtBy[0], failure.Diagnosis.ID, "%v", failure)
		assert.True(t, failure.Diagnosis.Conclusive, "it is said at once, not at the deadline:\n%v", failure)
		return time.Since(began)
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		assert.NoError(t, stop(ctx))
	})
	judge(ctx, t, target, broken.StillPass, conformance.Pass)
	judge(ctx, t, target, broken.CaughtBy, conformance.Fail)
	return time.Since(began)
}

// judge runs checks, each of which must come to a verdict. Those that must fail
// wait for what a mutant never does, so that they are given less time.
func judge(ctx context.Context, t *testing.T, target *conformance.Target, ids []string, want conformance.Verdict) {
	t.Helper()
	checks := checksNamed(t, ids)
	factor := 1.0
	if want == conformance.Fail {
		factor = mutantPatience
		for i := range checks {
			checks[i].Limit = time.Duration(float64(mutantLimit) / factor) // only a fact may end them
		}
	}
	results, err := conformance.Verify(ctx, target, checks, conformance.WithTimeoutFactor(factor), conformance.WithObserver(func(result conformance.Result) {
		t.Logf("%s: %s after %s: %s", result.Check.ID, result.Verdict, result.Duration.Round(time.Millisecond), strings.Join(result.Reasons, "\n"))
	}))
	require.NoError(t, err)
	require.Len(t, results, len(checks))
	for _, result := range results {
		said := strings.Join(result.Reasons, "\n")
		assert.Equal(t, want, result.Verdict, "%s: %s", result.Check.ID, said)
		assert.NotContains(t, said, "check took longer than its limit", result.Check.ID)
	}
}
