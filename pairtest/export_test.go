package pairtest

import (
	"context"
	"testing"
)

// TryDatabase is Database for a test that wants its error.
func TryDatabase(t testing.TB, migration Migration, options ...Option) (*DB, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	return sharedDatabase(ctx, t, migration, options)
}
