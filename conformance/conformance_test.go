package conformance_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// recipeFile is the recipe that this project ships.
const recipeFile = "../docker/docker-compose.yml"

const (
	startLimit  = 2 * time.Minute
	removeLimit = time.Minute
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRecipe runs the shipped recipe and checks the core profile on it.
func TestRecipe(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	show := liveLine(t)
	engine := openEngine(t, show)
	target := start(t, engine, stack.Options{Files: []string{recipeFile}, Name: "recipe"})
	conformance.Run(t, target, announced(slices.Concat(conformance.Core(), literalChecks()), show))
}

// openEngine connects to the engine; at the end nothing of the run may be left.
func openEngine(t *testing.T, show func(string)) *stack.Engine {
	t.Helper()
	engine, err := stack.Open(t.Context(), func(step stack.Step) {
		t.Logf("%s: %s", step.Subject, step.Status)
		show(step.Subject + " " + step.Status)
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		left, err := engine.Leftovers(ctx)
		if err != nil || len(left) > 0 {
			t.Errorf("the run left something behind: %q (%v)", left, err)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// start runs a recipe until it replicates.
func start(t *testing.T, engine *stack.Engine, options stack.Options) *conformance.Target {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	model, err := stack.Load(ctx, options.Files...)
	require.NoError(t, err)
	missing, err := engine.MissingImages(ctx, model)
	require.NoError(t, err)
	require.Empty(t, missing, "the engine lacks images; run `make setup`, which gets or builds them")
	target, stop, err := live.Start(ctx, engine, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		if err := stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return target
}
