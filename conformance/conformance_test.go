package conformance_test

import (
	"context"
	"fmt"
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

// TestRecipe checks a recipe while nothing breaks: the core profile, and good
// practice where the flags ask for all.
func TestRecipe(t *testing.T) { runWhole(t, asked(t)) }

// TestHardened checks the recipe with the hardened overlay in the same way.
// No deviation is known.
func TestHardened(t *testing.T) {
	notInCore(t)
	runWhole(t, shipped(t, "hardened", hardenedFile))
}

func notInCore(t *testing.T) {
	t.Helper()
	onlyShipped(t)
	if *profile == "core" {
		t.Skip("the core profile alone is the recipe's; make verify runs this too")
	}
}

func runWhole(t *testing.T, of subject) {
	t.Helper()
	run(t, of, wholeChecks(of))
}

// wholeChecks are those of a recipe while nothing breaks.
func wholeChecks(of subject) []conformance.Check {
	checks := slices.Concat(conformance.Advice(), conformance.Core())
	if of.name == "recipe" && !of.foreign {
		checks = append(checks, literalChecks()...)
	}
	return checks
}

func run(t *testing.T, of subject, checks []conformance.Check) {
	t.Helper()
	checks = chosen(t, checks)
	show := liveLine(t)
	engine := openEngine(t, show)
	witness := newWitness(t, of.known)
	target := witness.learn(start(t, engine, of))
	conformance.Run(t, target, checks, slices.Concat(of.runOptions(checks), witness.options(), []conformance.Option{announcing(checks, show)})...)
}

// openEngine connects to the engine; at the end nothing of the run may be left.
func openEngine(t *testing.T, show func(string)) *stack.Engine {
	t.Helper()
	engine, err := stack.Open(t.Context(), func(step stack.Step) {
		// No line of a log: those of a test that failed are read as what is wrong.
		if _, err := fmt.Fprintf(t.Output(), "%s: %s\n", step.Subject, step.Status); err != nil {
			t.Errorf("tell a step: %v", err)
		}
		show(step.Subject + " " + step.Status)
	})
	if err != nil {
		t.Attr("harness.error", err.Error())
		t.Fatal(err)
	}
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

// start runs a recipe until it replicates, or finds a stack that does.
func start(t *testing.T, engine *stack.Engine, of subject) *conformance.Target {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient(startLimit))
	defer cancel()
	if of.swarm != "" {
		target, err := live.Deployed(ctx, engine, of.swarm, of.choices...)
		require.NoError(t, err)
		t.Cleanup(target.Pair.Close)
		return target
	}
	if !of.foreign { // Somebody else's images are pulled where they are missing.
		model, err := of.options.Load(ctx)
		require.NoError(t, err)
		missing, err := engine.MissingImages(ctx, model)
		require.NoError(t, err)
		require.Empty(t, missing, "the engine lacks images; run `make setup`, which gets or builds them")
	}
	target, stop, err := live.Start(ctx, engine, of.options, of.choices...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if of.options.Detached && t.Failed() {
			tellKept(t, projectOf(target))
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		if err := stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if !of.foreign {
		target.Operator = newDiscreet(t, target)
	}
	return target
}

// tellKept says where the servers of a failed run are: in the report, with what
// else was tested, and to who reads go test. It is no failure of its own.
func tellKept(t *testing.T, project string) {
	t.Helper()
	how := fmt.Sprintf("look with `docker compose -p %[1]s ps` and `docker compose -p %[1]s logs`, remove with `docker compose -p %[1]s down -v`", project)
	t.Attr("provenance.kept", how)
	if _, err := fmt.Fprintln(t.Output(), "kept: "+how); err != nil {
		t.Error(err)
	}
}

// projectOf is the compose project that a target runs as.
func projectOf(target *conformance.Target) string {
	for _, fact := range target.Provenance {
		if fact.Name == "project" {
			return fact.Value
		}
	}
	return ""
}
