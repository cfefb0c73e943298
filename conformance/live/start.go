package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
var ErrNoServer = errors.New("no such service runs PostgreSQL")

// ErrImage says that a service's image can't be had.
var ErrImage = errors.New("image can't be had")

// ErrRoles says that the servers are not what they were named.
var ErrRoles = errors.New("servers have other roles")

// Roles name a recipe's servers where asking them would leave doubts.
// What is empty is found out.
type Roles struct {
	Primary  string
	Standbys []string
}

func (r Roles) services() []string {
	if r.Primary == "" {
		return r.Standbys
	}
	return append([]string{r.Primary}, r.Standbys...)
}

// Option says what Start can't know of a recipe.
type Option func(*operator)

// WithRoles names the servers: other services are left alone.
func WithRoles(roles Roles) Option { return func(o *operator) { o.roles = roles } }

// WithLogin says how to log in.
func WithLogin(login Login) Option { return func(o *operator) { o.logins.fixed = login } }

// Start runs a recipe, finds the pair in it and waits until it replicates,
// at most until ctx ends. The target's operator is the stack itself.
// The caller removes everything with stop, which is safe to call twice.
//
// Errors: those of stack.Engine.Up, ErrNoServer, ErrImage, and *StartError when the
// servers never became a pair; then the stack is removed already.
func Start(ctx context.Context, engine *stack.Engine, options stack.Options, choices ...Option) (target *conformance.Target, stop func(context.Context) error, err error) {
	running, err := create(ctx, engine, options, choices)
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
func create(ctx context.Context, engine *stack.Engine, options stack.Options, choices []Option) (*operator, error) {
	model, err := options.Load(ctx)
	if err != nil {
		return nil, err
	}
	running := &operator{engine: engine, model: model, instance: conformance.Instance{LiteralPorts: options.LiteralPorts}}
	for _, choose := range choices {
		choose(running)
	}
	found, err := servers(model, running.roles.services())
	if err != nil {
		return nil, fmt.Errorf("start %v: %w", options.Files, err)
	}
	options.Publish = map[string]uint16{}
	for _, server := range found {
		options.Publish[server.Name] = server.port
		running.nodes = append(running.nodes, running.node(server))
	}
	running.options = options
	running.logins.servers, running.logins.read = found, running.read
	running.target = &conformance.Target{Name: options.Name, Operator: running, Exclusive: true}
	project, err := engine.Up(ctx, options)
	if err != nil {
		return nil, errors.Join(missingImages(ctx, engine, model), err)
	}
	running.current.Store(project)
	return running, nil
}

// missingImages names what the engine lacks, and for whom.
func missingImages(ctx context.Context, engine *stack.Engine, model stack.Model) error {
	missing, err := engine.MissingImages(ctx, model)
	if err != nil || len(missing) == 0 {
		return err
	}
	var named []string
	for _, name := range slices.Sorted(maps.Keys(model.Services)) {
		service := model.Services[name]
		switch {
		case service.Built:
			named = append(named, name+" is built from a Dockerfile: build it first, and name the image")
		case slices.Contains(missing, service.Image):
			named = append(named, name+" wants "+service.Image)
		}
	}
	return fmt.Errorf("start: %w: %s; load it into the engine, or put another in its place (-image service=image)", ErrImage, strings.Join(named, "; "))
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
	if named := o.roles.Primary; named != "" && found.Primary.Name() != named {
		return nil, fmt.Errorf("%w: the primary is %s, and %s, which was named, is in recovery", ErrRoles, found.Primary.Name(), named)
	}
	o.logins.adopt(found)
	if err := found.WaitReady(ctx); err != nil {
		return nil, err
	}
	return found, found.SortStandbys(ctx)
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
