package stack

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunsTakeTurns(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	release, err := TakeTurn(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = TakeTurn(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the second run waits")
	require.NoError(t, release())
	release, err = TakeTurn(t.Context())
	require.NoError(t, err)
	require.NoError(t, release())
}
