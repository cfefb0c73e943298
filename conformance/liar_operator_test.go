package conformance_test

import (
	"context"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// disguising shows an image of its own for each container.
type disguising struct{ conformance.Operator }

func (o disguising) Inspect(ctx context.Context, node string) (conformance.Container, error) {
	state, err := o.Operator.Inspect(ctx, node)
	state.ImageID += " of " + node
	return state, err
}

// idle says that it has stopped all servers, and has stopped none.
type idle struct{ conformance.Operator }

func (idle) StopAll(context.Context) error { return nil }

// hoarding removes all but the data.
type hoarding struct{ conformance.Operator }

func (o hoarding) Remove(ctx context.Context) error { return o.RemoveKeepingVolumes(ctx) }
