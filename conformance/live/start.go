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

const (
	// watchInterval is the pause between two looks at the containers.
	watchInterval = 250 * time.Millisecond
	// discardLimit bounds the removal of a stack that did not become a pair.
	discardLimit = time.Minute
)

// ErrEnded says that a server's container ended while the pair was starting.
var ErrEnded = errors.New("container ended")

// ErrNoServer says that no service of a recipe looks like PostgreSQL.
var ErrNoServer = errors.New("no service publishes PostgreSQL's port 5432")

// Start runs a recipe, finds the pair in it and waits until it replicates,
// at most until ctx ends. The target's operator is the stack itself.
// The caller removes everything with stop, which is safe to call twice.
//
// Errors: those of stack.Engine.Up, ErrNoServer, and *StartError when the
// servers never became a pair; then the stack is removed already.
func Start(ctx context.Context, engine *stack.Engine, options stack.Options) (target *conformance.Target, stop func(context.Context) error, err error) {
	running, err := create(ctx, engine, options)
	if err != nil {
		return nil, nil, err
	}
	if err := running.wait(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardLimit)
		defer cancel()
		return nil, nil, errors.Join(err, running.discard(ctx))
	}
	return running.target, running.discard, nil
}

// create starts the containers of a recipe without waiting for the servers.
func create(ctx context.Context, engine *stack.Engine, options stack.Options) (*operator, error) {
	model, err := stack.Load(ctx, options.Files...)
	if err != nil {
		return nil, err
	}
	servers := servers(model)
	if len(servers) == 0 {
		return nil, fmt.Errorf("look for servers in %v: %w", options.Files, ErrNoServer)
	}
	project, err := engine.Up(ctx, options)
	if err != nil {
		return nil, err
	}
	running := &operator{engine: engine, options: options, model: model, instance: conformance.Instance{LiteralPorts: options.LiteralPorts}}
	running.current.Store(project)
	for _, server := range servers {
		running.nodes = append(running.nodes, running.node(server))
	}
	running.target = &conformance.Target{Name: options.Name, Operator: running, Exclusive: true}
	return running, nil
}

// wait finds the pair and waits until it replicates. A container that ends
// ends the wait.
func (o *operator) wait(ctx context.Context) error {
	began := time.Now()
	found, err := o.replicates(ctx)
	if err != nil {
		return o.explain(context.WithoutCancel(ctx), time.Since(began), err)
	}
	o.ready = time.Now()
	o.target.Pair = found
	if o.target.Replicator, err = o.replicator(ctx, found.Standby()); err != nil {
		return err
	}
	o.target.Provenance, o.target.Topology, err = o.provenance(ctx)
	return err
}

func (o *operator) replicates(ctx context.Context) (*pair.Pair, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		o.watch(ctx, cancel)
	}()
	defer func() {
		cancel(nil)
		<-watched
	}()
	found, err := pair.Discover(ctx, o.nodes...)
	if err != nil {
		return nil, err
	}
	err = found.WaitReady(ctx)
	return found, err
}

// watch cancels when a server's container has ended for good.
func (o *operator) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	_ = pair.Poll(ctx, watchInterval, func(ctx context.Context) (bool, error) { // it ends with ctx, which is no news
		for _, node := range o.nodes {
			state, err := o.stack().Inspect(ctx, node.Name())
			if err != nil || state.Restart == "always" || state.Restart == "unless-stopped" {
				continue
			}
			if state.State == "exited" || state.State == "dead" {
				cancel(fmt.Errorf("%w: %s, exit code %d", ErrEnded, node.Name(), state.ExitCode))
				return true, nil
			}
		}
		return false, nil
	})
}
