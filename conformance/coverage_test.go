package conformance_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// leastMutants is how many broken recipes there must be, those that never
// become a pair included.
const leastMutants = 50

// Every check that must hold is seen to fail somewhere: on a broken recipe,
// on servers that lie, or on the recipe itself, whose deviations are known.
func TestEveryMustCheckIsSeenToFail(t *testing.T) {
	caught := caughtLying(t)
	for id := range readDeviations(t, recipeDeviations) {
		caught[id] = true
	}
	broken := readBrokenRecipes(t)
	for _, one := range broken {
		for _, id := range one.CaughtBy {
			caught[id] = true
		}
	}
	for _, check := range slices.Concat(conformance.Core(), conformance.Faults()) {
		if check.Level != conformance.Must {
			continue
		}
		if _, listed := neverSeenToFail[check.ID]; listed {
			assert.NotContains(t, caught, check.ID, "it is seen to fail after all: take it off the list")
		} else {
			assert.Contains(t, caught, check.ID, "nothing makes it fail: add a mutant, or say why there can be none")
		}
	}
	for id := range neverSeenToFail {
		assert.True(t, slices.ContainsFunc(conformance.All(), func(check conformance.Check) bool { return check.ID == id }), "no such check: %s", id)
	}

	mistakes, err := filepath.Glob("live/testdata/mistakes/*/docker-compose.yml")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(broken)+len(mistakes), leastMutants)
}

// neverSeenToFail are the checks that no mutant makes fail, with the reason.
var neverSeenToFail = map[string]string{
	"access/sender-limit":           "PostgreSQL decides it at the login; no recipe can lift the limit",
	"access/no-hba-row":             "PostgreSQL decides it at the login; no recipe can admit what no line covers",
	"retention/keep-size-overrides": "the check sets wal_keep_size itself; what PostgreSQL then keeps, no recipe changes",
}
