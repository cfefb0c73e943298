package live

import (
	"context"
	"errors"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// ErrNotStarted says that a target was not started by this package.
var ErrNotStarted = errors.New("target is not one of package live")

// Keep stops the servers of a target and makes a template of their volumes, with
// which later stacks can begin: see stack.Options.Template.
// Errors: ErrNotStarted, or what the engine said.
func Keep(ctx context.Context, target *conformance.Target, key, note string) error {
	running, ours := target.Operator.(*operator)
	if !ours {
		return ErrNotStarted
	}
	if err := running.StopAll(ctx); err != nil {
		return err
	}
	return running.stack().Keep(ctx, key, note)
}
