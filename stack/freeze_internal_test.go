package stack

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPersist(t *testing.T) {
	t.Parallel()
	restless := errors.New("OCI runtime pause failed: unable to freeze: unknown")
	gone := errors.New("no such container")
	for name, row := range map[string]struct {
		answers []error
		want    error
	}{
		"at once":         {[]error{nil}, nil},
		"the third time":  {[]error{restless, restless, nil}, nil},
		"another error":   {[]error{gone, nil}, gone},
		"restless, later": {[]error{restless, gone, nil}, gone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			err := persist(t.Context(), func(context.Context) error {
				asked++
				return row.answers[asked-1]
			})
			require.Equal(t, row.want, err)
		})
	}
	t.Run("never", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		err := persist(ctx, func(context.Context) error {
			cancel()
			return restless
		})
		require.Equal(t, restless, err, "the engine's last word says more than that time is up")
	})
}
