package stack_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func TestRunIsLikeTheServiceWhileItIsStopped(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "run", Isolatable: true})
	eventually(t, func() bool { return dial(t, running, "one") == nil }, "one listens")
	require.NoError(t, running.Stop(t.Context(), "two"))
	before, err := engine.Leftovers(t.Context())
	require.NoError(t, err)

	run := func(script string) stack.Execution {
		ended, err := running.Run(t.Context(), "two", []string{"ADDED=by a variable"}, "bash", "-c", script)
		require.NoError(t, err)
		return ended
	}
	ended := run("echo out $ADDED; echo err >&2; echo kept > /data/kept; exit 3")
	assert.Equal(t, stack.Execution{ExitCode: 3, Stdout: "out by a variable\n", Stderr: "err\n"}, ended)
	assert.Equal(t, "kept\n", run("cat /data/kept").Stdout, "its named volume is the service's")
	assert.Zero(t, run("exec 3<>/dev/tcp/one/5432").ExitCode, "other services are found under their names")
	assert.Equal(t, "root\n", run("whoami").Stdout)
	assert.Equal(t, "exited", state(t, running, "two").State, "the service itself is left as it was")

	after, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, after, "nothing of it stays")
	require.NoError(t, running.Start(t.Context(), "two"))
	ofService, err := running.Exec(t.Context(), "two", nil, "cat", "/data/kept")
	require.NoError(t, err)
	assert.Equal(t, "kept\n", ofService.Stdout)

	_, err = running.Run(t.Context(), "nobody", nil, "true")
	require.ErrorIs(t, err, stack.ErrNoContainer)
	_, err = running.Run(t.Context(), "one", nil, "no-such-program")
	require.Error(t, err)
}

func TestRunEndsWithItsContext(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "run-ends"})
	before, err := running.Leftovers(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = running.Run(ctx, "one", nil, "tail", "-f", "/dev/null")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	after, err := running.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, after)
}
