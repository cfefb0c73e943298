package scripts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSuiteInsideContainer runs the suite in a container that has the engine's
// socket, as continuous integration often does.
func TestSuiteInsideContainer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	const socket = "/var/run/docker.sock"
	if _, err := os.Stat(socket); err != nil {
		t.Skipf("the engine's socket is elsewhere: %v", err)
	}
	top := root(t)
	suite := filepath.Join(t.TempDir(), "conformance.test")
	command{folder: top, line: []string{"go", "test", "-vet=off", "-c", "-o", suite, "./conformance"}}.mustRun(t)
	inside := func(network string, test ...string) command {
		return command{folder: top, line: append([]string{
			"docker", "run", "--rm", "--network", network, "--volume", socket + ":" + socket, "--volume", top + ":" + top + ":ro",
			"--volume", suite + ":/suite:ro", "--workdir", filepath.Join(top, "conformance"), "--entrypoint", "/suite", "postgres:15.8",
		}, test...)}
	}
	if said, err := inside("none", "-test.list", "^TestRecipe$").run(t); err != nil {
		t.Skipf("what is built here does not run in the image: %s", said)
	}
	const one = "^TestRecipe$/^slot$/^used-by-standby$"

	said := inside("host", "-test.v", "-test.run", one).mustRun(t)
	assert.Contains(t, said, "--- PASS: TestRecipe/slot/used-by-standby")

	said, err := inside("bridge", "-test.run", one).run(t)
	require.Error(t, err)
	assert.Contains(t, said, "ports-out-of-reach", "it says at once that it cannot reach what it starts")
	assert.Contains(t, said, "--network host")
}
