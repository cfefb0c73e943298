package conformance_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// recipeDeviations is what the shipped recipe is known to fail.
const recipeDeviations = "../docker/deviations.yml"

// TestRecipeFaults breaks a recipe, each chapter on a stack of its own. The
// few faults of the usual profile are not worth so many: they share one. A stack
// that runs already is the only one.
func TestRecipeFaults(t *testing.T) { runFaults(t, asked(t)) }

// TestHardenedFaults breaks the hardened pair. No deviation is known.
func TestHardenedFaults(t *testing.T) {
	onlyShipped(t)
	runFaults(t, shipped(t, "hardened", hardenedFile))
}

func runFaults(t *testing.T, of subject) {
	t.Helper()
	checks := chosen(t, conformance.Faults())
	t.Parallel()
	of.options.Isolatable = true
	if *profile == "usual" || of.swarm != "" {
		run(t, of, checks)
		return
	}
	engine := openEngine(t, liveLine(t))
	witness := newWitness(t, of.known)
	conformance.RunChapters(t, func(t *testing.T) *conformance.Target {
		t.Helper()
		return witness.learn(start(t, engine, of))
	}, checks, append(of.runOptions(checks), witness.options()...)...)
}

// readDeviations reads a list, each entry of which names a check of the suite.
func readDeviations(t *testing.T, path string) conformance.Deviations {
	t.Helper()
	known, err := deviationsIn(path)
	require.NoError(t, err)
	return known
}

func deviationsIn(path string) (conformance.Deviations, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read deviations: %w", err)
	}
	known, err := conformance.ReadDeviations(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = known.Match(conformance.All())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return known, nil
}
