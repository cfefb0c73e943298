package conformance_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// TestOtherRecipe checks a recipe as other people write them: a primary, two
// standbys and a third that follows one of these, and nothing published.
// See its compose file for what else.
func TestOtherRecipe(t *testing.T) {
	onlyShipped(t)
	checks := conformance.Core()
	if *profile != "all" { // what more than one standby makes a difference to
		var err error
		checks, err = conformance.Select(checks, "startup", "slot", "standby", "lag")
		require.NoError(t, err)
	}
	cascade := filepath.Join("testdata", "recipes", "cascade", "docker-compose.yml")
	run(t, subject{
		name: "cascade", foreign: true,
		options: stack.Options{Files: []string{cascade}, Name: "cascade", Environment: os.Environ()},
	}, checks)
}
