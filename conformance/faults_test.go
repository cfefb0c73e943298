package conformance_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// recipeDeviations is what the shipped recipe is known to fail.
const recipeDeviations = "../docker/deviations.yml"

// TestRecipeFaults breaks the shipped recipe, each chapter on a stack of its own.
func TestRecipeFaults(t *testing.T) {
	runFaults(t, "recipe", readDeviations(t, recipeDeviations), recipeFile)
}

// TestHardenedFaults breaks the hardened pair. No deviation is known.
func TestHardenedFaults(t *testing.T) {
	runFaults(t, "hardened", nil, recipeFile, hardenedFile)
}

func runFaults(t *testing.T, name string, known conformance.Deviations, files ...string) {
	t.Helper()
	checks := chosen(t, conformance.Faults())
	t.Parallel()
	engine := openEngine(t, liveLine(t))
	conformance.RunChapters(t, func(t *testing.T) *conformance.Target {
		t.Helper()
		return start(t, engine, stack.Options{Files: files, Name: name, Isolatable: true})
	}, checks, conformance.WithDeviations(known.For(checks)), conformance.WithReproduce(again))
}

// readDeviations reads a list, each entry of which names a check of the suite.
func readDeviations(t *testing.T, path string) conformance.Deviations {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	known, err := conformance.ReadDeviations(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, known.Match(conformance.All()))
	return known
}
