package pairtest

import (
	"context"
	"testing"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// TemplateKey is what a template of pairs with these options is kept under.
func TemplateKey(ctx context.Context, engine *stack.Engine, options ...Option) (string, error) {
	chosen, err := configure(options)
	if err != nil {
		return "", err
	}
	return templateKey(ctx, engine, chosen)
}

// TryDatabase is Database for a test that wants its error.
func TryDatabase(tb testing.TB, migration Migration, options ...Option) (*DB, error) {
	tb.Helper()
	return sharedDatabase(tb, migration, options)
}
