package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// deployment is a stack in a Docker Swarm as the conformance suite sees it. It
// is somebody's: what is broken heals, and nothing is removed.
type deployment struct {
	crew
	swarm *stack.Swarm
}

var _ conformance.Operator = (*deployment)(nil)

// Deployed makes a target of a stack that somebody has deployed to a Docker
// Swarm, and waits until it replicates, at most until ctx ends. Checks stop and
// break its servers, and never remove them or their data: those that would are
// skipped. A run that is killed in the middle may leave a service stopped: the
// next one starts it, and so does deploying the stack again. The caller closes
// the target's pair.
//
// All its tasks must be on the engine's own node.
//
// Errors: stack.ErrNoSwarm, stack.ErrNotDeployed, ErrNoServer, those of
// pair.Discover, *pair.NotReadyError, or what the engine said.
func Deployed(ctx context.Context, engine *stack.Engine, name string, choices ...Option) (*conformance.Target, error) {
	swarm, err := engine.Swarm(ctx, name)
	if err != nil {
		return nil, err
	}
	found := &deployment{swarm: swarm, crew: crew{engine: engine, model: swarm.Model}}
	found.at = func() containers { return swarm }
	for _, choose := range choices {
		choose(&found.crew)
	}
	failed := func(err error) (*conformance.Target, error) {
		return nil, fmt.Errorf("attach to stack %s: %w", name, err)
	}
	if err := found.enlist(); err != nil {
		return failed(err)
	}
	for _, node := range found.nodes {
		if err := swarm.Start(ctx, node.Name()); err != nil { // a run that was killed may have left it stopped
			return failed(err)
		}
	}
	found.target = &conformance.Target{Name: name, Operator: found, Exclusive: true, Lasting: true}
	servers, err := found.discover(ctx)
	if err == nil {
		err = found.present(ctx, servers)
	}
	if err != nil {
		found.forget()
		return failed(err)
	}
	return found.target, nil
}

func (d *deployment) Unavailable(_ context.Context, fault conformance.Fault) string {
	switch fault {
	case conformance.Stopped, conformance.Killed, conformance.Paused, conformance.Readdressed:
		return ""
	case conformance.Isolated:
		return "Swarm disconnects no task from its networks"
	case conformance.DiskFull:
		return "the data are on a disk that is somebody's"
	case conformance.Slowed:
		return "links through this process are for stacks that it has started"
	default:
		return fmt.Sprintf("%q is nothing that this operator can do", fault)
	}
}

// Readdress restarts a node: a task gets an address of its own.
func (d *deployment) Readdress(ctx context.Context, node string) error { return d.Restart(ctx, node) }

// StopAll stops standbys first, as their primary waits for them.
func (d *deployment) StopAll(ctx context.Context) error {
	for i := len(d.target.Pair.Standbys) - 1; i >= 0; i-- {
		if err := d.Stop(ctx, d.target.Pair.Standbys[i].Name()); err != nil {
			return err
		}
	}
	return d.Stop(ctx, d.target.Pair.Primary.Name())
}

// UpAgain starts what is stopped.
func (d *deployment) UpAgain(ctx context.Context) error {
	var failed error
	for _, node := range d.nodes {
		failed = errors.Join(failed, d.Start(ctx, node.Name()))
	}
	return failed
}

// Up finds the servers as they have been deployed: on the ports that are named.
func (d *deployment) Up(ctx context.Context, instance conformance.Instance) error {
	if instance.DataSize != 0 {
		return d.refuse("keep its data on another volume")
	}
	return d.UpAgain(ctx)
}

// Recreate makes a new container, as each restart does.
func (d *deployment) Recreate(ctx context.Context, node string, withVolumes bool) error {
	if withVolumes {
		return d.refuse("remove data")
	}
	return d.Restart(ctx, node)
}

// refuse is the answer to what would not heal.
func (d *deployment) refuse(what string) error {
	return fmt.Errorf("%s of stack %s: %w: it belongs to whoever has deployed it", what, d.swarm.Name(), conformance.ErrUnavailable)
}

// The rest of an operator is not for servers that stay.

func (d *deployment) Remove(context.Context) error  { return d.refuse("remove the servers") }
func (d *deployment) Discard(context.Context) error { return d.refuse("remove the servers") }
func (d *deployment) RemoveKeepingVolumes(context.Context) error {
	return d.refuse("remove the servers")
}
func (d *deployment) Create(context.Context) error { return d.refuse("make the servers anew") }

func (d *deployment) Leftovers(context.Context) ([]string, error) {
	return nil, d.refuse("look for leftovers")
}

func (d *deployment) Run(context.Context, string, []string, ...string) (conformance.Execution, error) {
	return conformance.Execution{}, d.refuse("run a container beside the servers")
}

func (d *deployment) Isolate(context.Context, string) error { return d.refuse("isolate a server") }

func (d *deployment) Reconnect(context.Context, string) error { return d.refuse("connect a server") }

func (d *deployment) FillDisk(context.Context, string, int64) error { return d.refuse("fill the disk") }

func (d *deployment) FreeDisk(context.Context, string) error { return d.refuse("free the disk") }

func (d *deployment) Link(context.Context, string, string) (conformance.Link, error) {
	return nil, d.refuse("make a link between servers")
}
