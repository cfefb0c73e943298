package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
var ErrNoServer = errors.New("no such service runs PostgreSQL")

// ErrRoles says that the servers are not what they were named.
var ErrRoles = errors.New("servers have other roles")

// Roles name a recipe's servers where asking them would leave doubts. What is
// empty is found out; where both are named, other services are left alone.
type Roles struct {
	Primary  string
	Standbys []string
}

// services are those that are named.
func (r Roles) services() []string {
	if r.Primary == "" {
		return r.Standbys
	}
	return append([]string{r.Primary}, r.Standbys...)
}

// whole says whether a whole pair is named.
func (r Roles) whole() bool { return r.Primary != "" && len(r.Standbys) > 0 }

// check compares the names with who was found to be the primary.
func (r Roles) check(primary string) error {
	switch {
	case r.Primary != "" && r.Primary != primary:
		return fmt.Errorf("%w: the primary is %s, and %s, which was named, is in recovery", ErrRoles, primary, r.Primary)
	case slices.Contains(r.Standbys, primary):
		return fmt.Errorf("%w: %s, which was named a standby, is the primary", ErrRoles, primary)
	}
	return nil
}

// Option says what Start can't know of a recipe.
type Option func(*crew)

// WithRoles names the servers.
func WithRoles(roles Roles) Option { return func(c *crew) { c.roles = roles } }

// WithLogin says how to log in.
func WithLogin(login Login) Option { return func(c *crew) { c.logins.fixed = login } }

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
// Errors: stack.ErrRecipe, stack.ErrHost, ErrNoServer, and *StartError when the
// containers could not be started or the servers never became a pair; then the
// stack is removed already. A port that is in use is *stack.PortTakenError too.
func Start(ctx context.Context, engine *stack.Engine, options stack.Options, choices ...Option) (target *conformance.Target, stop func(context.Context) error, err error) {
	running, err := prepare(ctx, engine, options, choices)
	if err != nil {
		return nil, nil, err
	}
	if err := running.wait(ctx, running.stack().Up); err != nil {
		if options.Detached {
			return nil, nil, fmt.Errorf("%[1]w\nkept as compose project %[2]s: look with `docker compose -p %[2]s logs`, remove with `docker compose -p %[2]s down -v`", err, running.stack().Name())
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardLimit)
		defer cancel()
		return nil, nil, errors.Join(err, running.Discard(ctx))
	}
	return running.target, running.Discard, nil
}

// prepare reads a recipe without starting anything.
func prepare(ctx context.Context, engine *stack.Engine, options stack.Options, choices []Option) (*operator, error) {
	model, err := options.Load(ctx)
	if err != nil {
		return nil, err
	}
	running := &operator{crew: crew{engine: engine, model: model}, instance: conformance.Instance{LiteralPorts: options.LiteralPorts}}
	running.at = func() containers { return running.stack() }
	for _, choose := range choices {
		choose(&running.crew)
	}
	if err := running.enlist(); err != nil {
		return nil, fmt.Errorf("start %v: %w", options.Files, err)
	}
	options.Publish = map[string]uint16{}
	for _, server := range running.logins.servers {
		options.Publish[server.Name] = server.port
	}
	running.options = options
	running.target = &conformance.Target{Name: options.Name, Operator: running, Exclusive: true}
	project, err := engine.Prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	running.current.Store(project)
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
	if err := o.present(ctx, found); err != nil {
		return err
	}
	o.target.Provenance = append(o.target.Provenance, changed(o.model.Changes)...)
	if len(o.model.Unset) > 0 {
		o.target.Provenance = append(o.target.Provenance, conformance.Fact{Name: "variables", Value: unset(o.model.Unset)})
	}
	return nil
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
	found, err = o.discover(ctx)
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
