package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// ErrNotStarted says that a target was not started by this package.
var ErrNotStarted = errors.New("target is not one of package live")

// Keep makes a template of the volumes of a target's servers, with which later
// stacks can begin: see stack.Options.Template. The servers stand still
// meanwhile, and then go on. What is kept is what a crash at that moment would
// leave: servers that begin with it recover first.
// Errors: ErrNotStarted, stack.ErrNoVolume when a template could not hold the
// data of every server, stack.ErrTemplateInUse, or what the engine said.
//
// Source: PostgreSQL documentation, "File System Level Backup".
func Keep(ctx context.Context, target *conformance.Target, key, note string) (err error) {
	running, ours := target.Operator.(*operator)
	if !ours {
		return ErrNotStarted
	}
	frozen := running.stack()
	healthy := map[string]bool{}
	for _, node := range target.Pair.Nodes() {
		directory, err := pair.One[string](ctx, node, dataDirectorySQL)
		if err != nil {
			return fmt.Errorf("ask %s for its data directory: %w", node.Name(), err)
		}
		if err := frozen.OnVolume(ctx, node.Name(), directory); err != nil {
			return err
		}
		state, err := frozen.Inspect(ctx, node.Name())
		if err != nil {
			return err
		}
		healthy[node.Name()] = state.Health == "healthy"
	}
	defer func() {
		for _, node := range target.Pair.Nodes() {
			err = errors.Join(err, frozen.Unpause(context.WithoutCancel(ctx), node.Name()))
		}
		for name, before := range healthy {
			if before {
				err = errors.Join(err, becomesHealthy(ctx, frozen, name))
			}
		}
	}()
	for _, node := range target.Pair.Nodes() {
		if err := frozen.Pause(ctx, node.Name()); err != nil {
			return err
		}
	}
	return frozen.Keep(ctx, key, note)
}

// becomesHealthy waits for a health check that met a server standing still:
// compose starts nothing that depends on it meanwhile.
func becomesHealthy(ctx context.Context, running *stack.Stack, service string) error {
	const interval = 50 * time.Millisecond
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		state, err := running.Inspect(ctx, service)
		return state.Health == "healthy", err
	})
	if err != nil {
		return fmt.Errorf("wait until %s is healthy again: %w", service, err)
	}
	return nil
}
