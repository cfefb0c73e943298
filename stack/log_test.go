package stack_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// TestLogLinesHaveTheirMoments reads a log whole and from its last line on,
// also where a terminal frames nothing.
func TestLogLinesHaveTheirMoments(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{"testdata/talker.yml"}, Name: "talker"})
	for _, service := range []string{"plain", "terminal"} {
		t.Run(service, func(t *testing.T) {
			var lines []stack.LogLine
			require.NoError(t, pair.Poll(t.Context(), 50*time.Millisecond, func(ctx context.Context) (bool, error) {
				var err error
				lines, err = running.LogLines(ctx, service, time.Time{})
				return len(lines) == 2, err
			}))
			assert.Equal(t, "first", lines[0].Text)
			assert.Equal(t, "second", lines[1].Text)
			assert.Greater(t, lines[1].At.Sub(lines[0].At), 100*time.Millisecond)
			assert.WithinDuration(t, time.Now(), lines[1].At, time.Minute)

			rest, err := running.LogLines(t.Context(), service, lines[1].At)
			require.NoError(t, err)
			assert.Equal(t, lines[1:], rest)
			text, err := running.Logs(t.Context(), service, time.Time{})
			require.NoError(t, err)
			assert.Contains(t, text, "first")
			state, err := running.Inspect(t.Context(), service)
			require.NoError(t, err)
			assert.Equal(t, service == "terminal", state.Terminal)
			assert.Equal(t, "bash", state.Entry[0])
			assert.Zero(t, state.Restarts)
		})
	}
}

// TestPreparedStackMakesNothingYet is what lets a caller watch its start.
func TestPreparedStackMakesNothingYet(t *testing.T) {
	engine := open(t)
	prepared, err := engine.Prepare(t.Context(), stack.Options{Files: []string{sleeper}, Name: "prepared"})
	require.NoError(t, err)
	_, err = prepared.Inspect(t.Context(), "sleeper")
	require.ErrorIs(t, err, stack.ErrNoContainer)
	require.NoError(t, prepared.Up(t.Context()))
	_, err = prepared.Inspect(t.Context(), "sleeper")
	require.NoError(t, err)
	require.NoError(t, prepared.Discard(t.Context()))
	left, err := engine.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}
