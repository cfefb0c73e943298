package live

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

func (o *operator) Unavailable(ctx context.Context, fault conformance.Fault) string {
	switch fault {
	case conformance.Isolated:
		if !o.options.Isolatable {
			return "the stack was started without networks to watch an isolated server by"
		}
	case conformance.Stopped, conformance.Killed, conformance.Paused, conformance.Readdressed:
	case conformance.DiskFull:
		_, reason := o.limitedVolume(o.target.Pair.Primary.Name())
		return reason
	case conformance.Slowed:
		return o.linkReason(ctx)
	default:
		return fmt.Sprintf("%q is nothing that this operator can do", fault)
	}
	return ""
}

func (o *operator) Isolate(ctx context.Context, node string) error {
	defer o.rerouteNode(node)
	return o.stack().Isolate(ctx, node)
}

func (o *operator) Reconnect(ctx context.Context, node string) error {
	defer o.rerouteNode(node)
	return o.stack().Reconnect(ctx, node)
}

func (o *operator) Readdress(ctx context.Context, node string) error {
	defer o.forgetNode(node)
	return o.stack().Readdress(ctx, node)
}

func (o *operator) Recreate(ctx context.Context, node string, withVolumes bool) error {
	defer o.forgetNode(node)
	return o.stack().Recreate(ctx, node, withVolumes)
}

func (o *operator) Link(ctx context.Context, from, to string) (conformance.Link, error) {
	link, err := o.stack().Link(ctx, from, to, o.port(to))
	if err != nil {
		return nil, err
	}
	return link, nil
}

// linkReason makes a link and ends it: whether containers reach this process
// nobody can tell otherwise. What has been proved stays so.
func (o *operator) linkReason(ctx context.Context) string {
	if o.linked.Load() {
		return ""
	}
	link, err := o.Link(ctx, o.target.Pair.Standby().Name(), o.target.Pair.Primary.Name())
	if err == nil {
		err = link.Close()
	}
	if err != nil {
		return err.Error()
	}
	o.linked.Store(true)
	return ""
}
