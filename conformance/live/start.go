package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const (
	// watchInterval is the pause between two looks at containers, logs and
	// servers: often enough to tell within a second what they show, seldom
	// enough to cost a start nothing.
	watchInterval = 500 * time.Millisecond
	// discardLimit bounds the removal of a stack that did not become a pair.
	discardLimit = time.Minute
)

// ErrEnded says that a server's container ended while the pair was starting.
var ErrEnded = errors.New("container ended")

// ErrNoServer says that no service of a recipe looks like PostgreSQL.
var ErrNoServer = errors.New("no service publishes PostgreSQL's port 5432")

// ErrHopeless says that waiting longer for a pair cannot help: the diagnosis
// of the StartError tells why.
var ErrHopeless = errors.New("no waiting helps")

// errNotStarted says that there is nothing to wait for yet.
var errNotStarted = errors.New("containers are not started")

// Start runs a recipe, finds the pair in it and waits until it replicates,
// at most until ctx ends; it gives up earlier when it sees that the servers
// can never become a pair. The target's operator is the stack itself.
// The caller removes everything with stop, which is safe to call twice.
//
// Errors: stack.ErrRecipe, ErrNoServer, and *StartError when the containers
// could not be started or the servers never became a pair; then the stack is
// removed already. A port that is in use is *stack.PortTakenError too.
func Start(ctx context.Context, engine *stack.Engine, options stack.Options) (target *conformance.Target, stop func(context.Context) error, err error) {
	running, err := prepare(ctx, engine, options)
	if err != nil {
		return nil, nil, err
	}
	if err := running.wait(ctx, running.stack().Up); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardLimit)
		defer cancel()
		return nil, nil, errors.Join(err, running.discard(ctx))
	}
	return running.target, running.discard, nil
}

// prepare reads a recipe without starting anything.
func prepare(ctx context.Context, engine *stack.Engine, options stack.Options) (*operator, error) {
	project, err := engine.Prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	servers := servers(project.Model)
	if len(servers) == 0 {
		return nil, fmt.Errorf("look for servers in %v: %w", options.Files, ErrNoServer)
	}
	running := &operator{engine: engine, options: options, model: project.Model, instance: conformance.Instance{LiteralPorts: options.LiteralPorts}}
	running.current.Store(project)
	for _, server := range servers {
		running.nodes = append(running.nodes, running.node(server))
	}
	running.target = &conformance.Target{Name: options.Name, Operator: running, Exclusive: true}
	return running, nil
}

// wait takes some steps, finds the pair and waits until it replicates. What
// proves that this can never be ends the wait.
func (o *operator) wait(ctx context.Context, steps ...func(context.Context) error) error {
	began := time.Now()
	found, proof, err := o.replicates(ctx, steps)
	if errors.Is(err, stack.ErrRecipe) {
		return err // nothing was started
	}
	if err != nil {
		return o.explain(context.WithoutCancel(ctx), time.Since(began), err, proof)
	}
	o.ready = time.Now()
	o.target.Pair = found
	if o.target.Replicator, err = o.replicator(ctx, found.Standby()); err != nil {
		return err
	}
	o.target.Provenance, o.target.Topology, err = o.provenance(ctx)
	return err
}

// replicates gives the pair, or what ended the wait for it: an error, and
// where it was proved that there can be no pair, the evidence.
func (o *operator) replicates(ctx context.Context, steps []func(context.Context) error) (found *pair.Pair, proof *diagnose.Evidence, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan *diagnose.Evidence, 1)
	go func() { watched <- o.watch(ctx, cancel) }()
	defer func() {
		cancel(nil)
		proof = <-watched
	}()
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errNotStarted, err)
		}
	}
	if found, err = pair.Discover(ctx, o.nodes...); err != nil {
		return nil, nil, err
	}
	err = found.WaitReady(ctx)
	return found, nil, err
}

// watch cancels when it sees that there can never be a pair, and gives the
// evidence.
func (o *operator) watch(ctx context.Context, cancel context.CancelCauseFunc) *diagnose.Evidence {
	observer := o.observe(answerPatience)
	defer observer.end()
	var proof *diagnose.Evidence
	suspected := ""
	_ = pair.Poll(ctx, watchInterval, func(ctx context.Context) (bool, error) { // it ends with ctx, which is no news
		evidence := observer.look(ctx)
		found := diagnose.Of(evidence)
		if !found.Conclusive {
			return false, nil
		}
		// What no log says must last: servers may be caught in between, and
		// package pair, which asks more often, may have a better word for it.
		if found.Proved.IsZero() && found.ID != suspected {
			suspected = found.ID
			return false, nil
		}
		proof = evidence
		cause := fmt.Errorf("%w: %s", ErrHopeless, found.ID)
		for _, server := range evidence.Servers {
			if server.Ended() {
				cause = fmt.Errorf("%w: %s, exit code %d", ErrEnded, server.Name, server.Container.ExitCode)
			}
		}
		cancel(cause)
		return true, nil
	})
	return proof
}
