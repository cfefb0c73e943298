package conformance_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// recipeFile is the recipe that this project ships.
const recipeFile = "../docker/docker-compose.yml"

// hardenedFile is what is merged over the recipe to cure it.
const hardenedFile = "../overlays/hardened.yml"

const (
	startLimit  = 4 * time.Minute
	removeLimit = time.Minute
)

// TestRecipe checks the shipped recipe while nothing breaks: the core profile,
// and good practice where the flags ask for all.
func TestRecipe(t *testing.T) {
	runWhole(t, "recipe", readDeviations(t, recipeDeviations), recipeFile)
}

// TestHardened checks the recipe with the hardened overlay in the same way.
// No deviation is known.
func TestHardened(t *testing.T) {
	if *profile == "core" {
		t.Skip("the core profile alone is the recipe's; make verify PROFILE=all runs this too")
	}
	runWhole(t, "hardened", nil, recipeFile, hardenedFile)
}

func runWhole(t *testing.T, name string, known conformance.Deviations, files ...string) {
	t.Helper()
	checks := slices.Concat(conformance.Advice(), conformance.Core())
	if len(files) == 1 {
		checks = append(checks, literalChecks()...)
	}
	checks = chosen(t, checks)
	show := liveLine(t)
	engine := openEngine(t, show)
	target := start(t, engine, stack.Options{Files: files, Name: name})
	conformance.Run(t, target, announced(checks, show), conformance.WithDeviations(known.For(checks)), conformance.WithReproduce(again))
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
