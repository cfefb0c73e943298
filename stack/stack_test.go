package stack_test

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const (
	sleeper     = "testdata/sleeper.yml"
	removeLimit = 30 * time.Second
)

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		victim()
	}
	if os.Getenv(builderVariable) != "" {
		os.Exit(m.Run()) // the library that builds keeps idle connections for half a minute
	}
	goleak.VerifyTestMain(m)
}

func live(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
}

func open(t *testing.T) *stack.Engine {
	t.Helper()
	live(t)
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, engine.Close()) })
	return engine
}

func up(t *testing.T, engine *stack.Engine, options stack.Options) *stack.Stack {
	t.Helper()
	running, err := engine.Up(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		assert.NoError(t, running.Discard(ctx))
	})
	return running
}

// speaks waits until the sleeper has said all that it says: from then on it
// also acts on signals.
func speaks(t *testing.T, running *stack.Stack) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		text, err := running.Logs(t.Context(), "sleeper", time.Time{})
		require.NoError(c, err)
		assert.ElementsMatch(c, []string{"out", "err"}, splitLines(text))
	}, 20*time.Second, 50*time.Millisecond)
}

func TestStackLivesBesideEverythingElse(t *testing.T) {
	engine := open(t)
	first := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "first"})
	second := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "Second/Of them"})

	for _, one := range []*stack.Stack{first, second} {
		state, err := one.Inspect(t.Context(), "sleeper")
		require.NoError(t, err)
		assert.Equal(t, "running", state.State)
		assert.Equal(t, one.Name()+"-sleeper-1", state.Name, "a fixed container_name is dropped")
		assert.Equal(t, "hello", state.Env["GREETING"])
		assert.Equal(t, 5*time.Second, state.Grace)
		assert.Equal(t, "root", state.User)
		require.Len(t, state.Ports, 1)
		assert.Equal(t, "127.0.0.1", state.Ports[0].Address, "published on loopback only")
		assert.NotEqual(t, uint16(19432), state.Ports[0].Port, "published on an ephemeral port")
		left, err := one.Leftovers(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{
			"container " + one.Name() + "-sleeper-1 (running)",
			"network " + one.Name() + "_default",
			"volume " + one.Name() + "_data",
		}, left, "also a volume with a global name is the project's own")
	}
	assert.Regexp(t, `^pms-second-of-them-[a-z0-9]{6}$`, second.Name())
}

func TestContainerCanBeLookedInto(t *testing.T) {
	running := up(t, open(t), stack.Options{Files: []string{sleeper}, Name: "look"})
	speaks(t, running)
	ended, err := running.Exec(t.Context(), "sleeper", []string{"ADDED=by a variable"}, "bash", "-c", "echo to-out $ADDED; echo to-err >&2; exit 3")
	require.NoError(t, err)
	assert.Equal(t, stack.Execution{ExitCode: 3, Stdout: "to-out by a variable\n", Stderr: "to-err\n"}, ended)

	text, err := running.Logs(t.Context(), "sleeper", time.Now())
	require.NoError(t, err)
	assert.Empty(t, text, "nothing has been written since")

	_, err = running.Inspect(t.Context(), "nobody")
	require.ErrorIs(t, err, stack.ErrNoContainer)
	_, err = running.Endpoint(t.Context(), "sleeper", 99)
	require.ErrorIs(t, err, stack.ErrNotPublished)

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = running.Exec(ctx, "sleeper", nil, "sleep", "60")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestDownRemovesEverything(t *testing.T) {
	running := up(t, open(t), stack.Options{Files: []string{sleeper}, Name: "down"})
	speaks(t, running)
	require.NoError(t, running.StopAll(t.Context()))
	state, err := running.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	assert.Equal(t, "exited", state.State)
	assert.Equal(t, 7, state.ExitCode, "the container was stopped by its own signal, not killed")
	assert.True(t, state.Finished.After(state.Started))

	require.NoError(t, running.Down(t.Context()))
	left, err := running.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)

	require.NoError(t, running.Up(t.Context()), "the same project starts again")
	state, err = running.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	assert.Equal(t, "running", state.State)
}

func TestLiteralPorts(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "literal", LiteralPorts: true})
	endpoint, err := running.Endpoint(t.Context(), "sleeper", 5432)
	require.NoError(t, err)
	assert.Equal(t, stack.Endpoint{Address: "127.0.0.1", Port: 19432, Target: 5432}, endpoint)

	_, err = engine.Up(t.Context(), stack.Options{Files: []string{sleeper}, Name: "clash", LiteralPorts: true})
	var taken *stack.PortTakenError
	require.ErrorAs(t, err, &taken, "taken by a container")
	assert.Equal(t, "19432", taken.Port)

	require.NoError(t, running.Down(t.Context()))
	listener, err := net.Listen("tcp", "127.0.0.1:19432") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	_, err = engine.Up(t.Context(), stack.Options{Files: []string{sleeper}, Name: "clash", LiteralPorts: true})
	require.ErrorAs(t, err, &taken, "taken by a process")
	assert.Equal(t, "19432", taken.Port)
	require.NoError(t, listener.Close())

	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left, "a start that failed leaves nothing")
}

func TestUpRefuses(t *testing.T) {
	engine := open(t)
	for name, test := range map[string]struct {
		file string
		want error
		text string
	}{
		"a missing file":         {"testdata/missing.yml", stack.ErrRecipe, "missing.yml"},
		"a file that is no YAML": {"testdata/not-yaml.yml", stack.ErrRecipe, "not-yaml.yml"},
		"a file of another kind": {"testdata/not-compose.yml", stack.ErrRecipe, "hello"},
		"a missing image":        {"testdata/no-image.yml", nil, "no-such-image"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.Up(t.Context(), stack.Options{Files: []string{test.file}, Name: "refused"})
			require.ErrorContains(t, err, test.text)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
			}
			left, err := engine.Leftovers(t.Context())
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestUpEndsWithItsContext(t *testing.T) {
	engine := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := engine.Up(ctx, stack.Options{Files: []string{sleeper}, Name: "cancelled"})
	require.ErrorIs(t, err, context.Canceled)
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestOpenSaysThatNoEngineAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		host string
		want error
	}{
		"no socket":      {"unix:///nonexistent/docker.sock", stack.ErrNoEngine},
		"nobody listens": {"tcp://127.0.0.1:1", stack.ErrNoEngine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", test.host)
			_, err := stack.Open(t.Context(), nil)
			require.ErrorIs(t, err, test.want)
			require.ErrorContains(t, err, test.host)
		})
	}
}

func TestOpenReportsSteps(t *testing.T) {
	live(t)
	var steps []stack.Step
	engine, err := stack.Open(t.Context(), func(step stack.Step) { steps = append(steps, step) })
	require.NoError(t, err)
	running, err := engine.Up(t.Context(), stack.Options{Files: []string{sleeper}, Name: "steps"})
	require.NoError(t, err)
	require.NoError(t, engine.Close(), "closing removes what is still up")
	var seen []string
	for _, step := range steps {
		seen = append(seen, step.Subject+" "+step.Status)
	}
	assert.Contains(t, seen, "Container "+running.Name()+"-sleeper-1 Started")
	require.NoError(t, engine.Close(), "closing twice is safe")
}

func TestDetachedStackIsNoRunsToRemove(t *testing.T) {
	engine := open(t)
	kept := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "kept", Detached: true})
	labels := state(t, kept, "sleeper").Labels
	assert.Contains(t, labels, stack.KeptLabel, "make clean finds it")
	assert.NotContains(t, labels, stack.SessionLabel, "neither watchdog nor sweep does")
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
	require.NoError(t, kept.Discard(t.Context()))
	left, err = kept.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left, "its caller removes it")
}
