package pairtest

import (
	"context"
	"testing"
)

// TryDatabase is Database for a test that wants its error.
func TryDatabase(tb testing.TB, migration Migration, options ...Option) (*DB, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startLimit)
	defer cancel()
	return sharedDatabase(ctx, tb, migration, options)
}
