package live

import (
	"context"
	"errors"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// ErrNotStarted says that a target was not started by this package.
var ErrNotStarted = errors.New("target is not one of package live")

// Keep makes a template of the volumes of a target's servers, with which later
// stacks can begin: see stack.Options.Template. The servers stand still
// meanwhile, and then go on. What is kept is what a crash at that moment would
// leave: servers that begin with it recover first.
// Errors: ErrNotStarted, or what the engine said.
//
// Source: PostgreSQL documentation, "File System Level Backup".
func Keep(ctx context.Context, target *conformance.Target, key, note string) (err error) {
	running, ours := target.Operator.(*operator)
	if !ours {
		return ErrNotStarted
	}
	frozen := running.stack()
	defer func() {
		for _, node := range target.Pair.Nodes() {
			err = errors.Join(err, frozen.Unpause(context.WithoutCancel(ctx), node.Name()))
		}
	}()
	for _, node := range target.Pair.Nodes() {
		if err := frozen.Pause(ctx, node.Name()); err != nil {
			return err
		}
	}
	return frozen.Keep(ctx, key, note)
}
