package stack

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sleeperFile = "testdata/sleeper.yml"

// What is made after the removal would stay: nobody is left to remove it.
func TestCloseWaitsForWhatIsJustBeingMade(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an engine")
	}
	const moment = 300 * time.Millisecond // a removal of nothing takes less
	engine, err := Open(t.Context(), nil)
	require.NoError(t, err)
	making, done, err := engine.creating(t.Context())
	require.NoError(t, err)
	closed := make(chan error, 1)
	go func() { closed <- engine.Close() }()
	<-making.Done()
	require.ErrorIs(t, context.Cause(making), errClosed, "it is told to end")
	select {
	case err := <-closed:
		assert.Fail(t, "it has not been waited for", "%v", err)
	case <-time.After(moment):
		done()
		require.NoError(t, <-closed)
	}
}

func TestAClosedEngineMakesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an engine")
	}
	engine, err := Open(t.Context(), nil)
	require.NoError(t, err)
	prepared, err := engine.Prepare(t.Context(), Options{Files: []string{sleeperFile}, Name: "closed"})
	require.NoError(t, err)
	require.NoError(t, engine.Close())
	require.ErrorIs(t, prepared.Up(t.Context()), errClosed)
	assert.False(t, engine.session.guarded(), "no watchdog that nobody would dismiss")
}

func TestTheWatchdogStaysWhenTheRemovalFails(t *testing.T) {
	lose := unreliable(t)
	engine, err := Open(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, engine.session.watched())
	all := func(*http.Request) bool { return true }
	lose.Store(&all)
	require.ErrorContains(t, engine.Close(), "the answer is lost")
	assert.True(t, engine.session.guarded(), "it tries again when this process ends")
	require.NoError(t, engine.session.close())
}

// An engine may have cut a service off and then not say so.
func TestIsolateThatFailsHalfWayIsHealed(t *testing.T) {
	lose := unreliable(t)
	engine, err := Open(t.Context(), nil)
	require.NoError(t, err)
	running, err := engine.Up(t.Context(), Options{Files: []string{sleeperFile}, Name: "half-cut", Isolatable: true})
	require.NoError(t, err)
	first := func(request *http.Request) bool { return strings.HasSuffix(request.URL.Path, "/disconnect") }
	lose.Store(&first)
	require.ErrorContains(t, running.Isolate(t.Context(), "sleeper"), "the answer is lost")
	assert.Contains(t, networks(t, running), running.Name()+"_default")
	require.NoError(t, engine.Close())
}

func TestIsolateTwiceHealOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	engine, err := Open(t.Context(), nil)
	require.NoError(t, err)
	running, err := engine.Up(t.Context(), Options{Files: []string{sleeperFile}, Name: "cut-twice", Isolatable: true})
	require.NoError(t, err)
	require.NoError(t, running.Isolate(t.Context(), "sleeper"))
	require.NoError(t, running.Isolate(t.Context(), "sleeper"))
	assert.NotContains(t, networks(t, running), running.Name()+"_default")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, running.Reconnect(ctx, "sleeper"))
	assert.Contains(t, networks(t, running), running.Name()+"_default")
	require.NoError(t, engine.Close())
}

// networks are those that a stack's only service is connected to, by name.
func networks(t *testing.T, running *Stack) []string {
	t.Helper()
	state, err := running.inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	var names []string
	for name := range state.NetworkSettings.Networks {
		names = append(names, name)
	}
	return names
}
