package conformance_test

import (
	"context"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// disguising shows an image of its own for each container.
type disguising struct{ conformance.Operator }

func (o disguising) Inspect(ctx context.Context, node string) (conformance.Container, error) {
	state, err := o.Operator.Inspect(ctx, node)
	state.ImageID += " of " + node
	return state, err
}

// torn shows a log of a server that has met a damaged page.
type torn struct{ conformance.Operator }

func (o torn) Logs(ctx context.Context, node string, since time.Time) (string, error) {
	log, err := o.Operator.Logs(ctx, node, since)
	return log + "2026-01-02 03:04:05.678 UTC [77] ERROR:  invalid page in block 7 of relation base/5/16384\n", err
}

// idle says that it has stopped all servers, and has stopped none.
type idle struct{ conformance.Operator }

func (idle) StopAll(context.Context) error { return nil }

// hoarding removes all but the data.
type hoarding struct{ conformance.Operator }

func (o hoarding) Remove(ctx context.Context) error { return o.RemoveKeepingVolumes(ctx) }
