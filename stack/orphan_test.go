package stack_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// A container of the project that no compose file knows any more is left over
// like any other, and goes with the project. One of another project is neither.
func TestDownRemovesOrphansOfItsProjectOnly(t *testing.T) {
	running := up(t, open(t), stack.Options{Files: []string{sleeper}, Name: "orphan"})
	state, err := running.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	beside := func(project string) (name string) {
		t.Helper()
		name = project + "-gone-1"
		docker(t, "run", "--detach", "--name", name, "--network", "none", "--entrypoint", "sleep", "--stop-signal", "SIGKILL",
			"--label", "com.docker.compose.project="+project, "--label", "com.docker.compose.service=gone",
			"--label", "com.docker.compose.oneoff=False", "--label", "com.docker.compose.config-hash=0", state.ImageID, "600")
		t.Cleanup(func() {
			_ = exec.CommandContext(context.WithoutCancel(t.Context()), "docker", "rm", "--force", "--volumes", name).Run()
		})
		return name
	}
	orphan, other := beside(running.Name()), beside(running.Name()+"-other")

	left, err := running.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Contains(t, strings.Join(left, "\n"), orphan)
	assert.NotContains(t, strings.Join(left, "\n"), other)

	require.NoError(t, running.Down(t.Context()))
	left, err = running.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
	require.Error(t, exec.CommandContext(t.Context(), "docker", "container", "inspect", orphan).Run(), "the orphan is gone")
	docker(t, "container", "inspect", other)
}

func docker(t *testing.T, arguments ...string) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "docker", arguments...).CombinedOutput()
	require.NoErrorf(t, err, "docker %s: %s", strings.Join(arguments, " "), said)
}
