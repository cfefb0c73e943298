package live_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *stack.Engine {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, engine.Close()) })
	return engine
}

// TestStartSaysWhyThereIsNoPair starts recipes that are broken in one way each.
func TestStartSaysWhyThereIsNoPair(t *testing.T) {
	for name, test := range map[string]struct {
		file  string
		limit time.Duration
		is    error
		says  []string
	}{
		"a server that cannot start": {
			file: "testdata/dies.yml", limit: time.Minute, is: live.ErrEnded,
			says: []string{"primary: container", "exited with exit code 1", "superuser password is not specified"},
		},
		"a server that never answers": {
			file: "testdata/never.yml", limit: 10 * time.Second, is: context.DeadlineExceeded,
			says: []string{`standby: no "server answers over TCP"`, "standby: container", "running", "still waiting"},
		},
		"two primaries": {
			file: "testdata/two-primaries.yml", limit: time.Minute, is: pair.ErrTwoPrimaries,
			says: []string{"one and two"},
		},
		"no PostgreSQL": {
			file: "testdata/no-server.yml", limit: time.Minute, is: live.ErrNoServer,
			says: []string{"no-server.yml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), test.limit)
			defer cancel()
			_, _, err := live.Start(ctx, engine, stack.Options{Files: []string{test.file}, Name: "broken"})
			require.ErrorIs(t, err, test.is)
			for _, text := range test.says {
				require.ErrorContains(t, err, text)
			}
			left, err := engine.Leftovers(t.Context())
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}
