package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// operator is a stack as the conformance suite sees it.
type operator struct {
	crew
	options stack.Options
	// The servers may come to run as another stack, while connections ask for their addresses.
	current  atomic.Pointer[stack.Stack]
	instance conformance.Instance // how the servers run now
	turn     func() error         // ends this run's turn on literal ports; nil when it has none

	linked atomic.Bool // a container has reached this process
}

var _ conformance.Operator = (*operator)(nil)

func (o *operator) stack() *stack.Stack { return o.current.Load() }

func (o *operator) Run(ctx context.Context, node string, variables []string, command ...string) (conformance.Execution, error) {
	ended, err := o.stack().Run(ctx, node, variables, command...)
	return conformance.Execution(ended), err
}

func (o *operator) StopAll(ctx context.Context) error {
	o.forget()
	return o.stack().StopAll(ctx)
}

func (o *operator) Remove(ctx context.Context) error {
	o.forget()
	return errors.Join(o.stack().Down(ctx), o.endTurn())
}

// takeTurn waits while another run has the ports that recipes name.
func (o *operator) takeTurn(ctx context.Context) error {
	if o.turn != nil {
		return nil
	}
	var err error
	o.turn, err = stack.TakeTurn(ctx)
	return err
}

func (o *operator) endTurn() error {
	if o.turn == nil {
		return nil
	}
	err := o.turn()
	o.turn = nil
	return err
}

func (o *operator) RemoveKeepingVolumes(ctx context.Context) error {
	o.forget()
	return o.stack().DownKeepingVolumes(ctx)
}

func (o *operator) UpAgain(ctx context.Context) error {
	o.forget()
	return o.stack().Up(ctx)
}

func (o *operator) Create(ctx context.Context) error {
	if err := o.Discard(ctx); err != nil {
		return err
	}
	return o.stack().Create(ctx)
}

func (o *operator) Leftovers(ctx context.Context) ([]string, error) {
	return o.stack().Leftovers(ctx)
}

func (o *operator) Up(ctx context.Context, instance conformance.Instance) error {
	options := o.options
	options.LiteralPorts = instance.LiteralPorts
	if instance == o.instance && o.running(ctx) {
		return nil
	}
	limited, err := o.limitData(ctx, instance.DataSize)
	if err != nil {
		return err
	}
	options.Limited = limited
	if err := o.portsFree(ctx, options); err != nil {
		return errors.Join(err, o.endTurn())
	}
	o.forget()
	if err := o.stack().Discard(ctx); err != nil {
		return err
	}
	started, err := o.engine.Up(ctx, options)
	var taken *stack.PortTakenError
	if errors.As(err, &taken) {
		return fmt.Errorf("%w: %w", conformance.ErrPortTaken, err)
	}
	if err != nil {
		return err
	}
	o.current.Store(started)
	o.instance = instance
	if err := o.limited(ctx); err != nil {
		return err
	}
	return o.wait(ctx)
}

// running says whether every server's container runs.
func (o *operator) running(ctx context.Context) bool {
	for _, node := range o.nodes {
		if state, err := o.stack().Inspect(ctx, node.Name()); err != nil || state.State != "running" {
			return false
		}
	}
	return true
}

// portsFree looks whether the ports that the recipe names could be had, in
// this run's turn on them.
func (o *operator) portsFree(ctx context.Context, options stack.Options) error {
	if !options.LiteralPorts || o.stack().Options().LiteralPorts {
		return nil
	}
	if err := o.takeTurn(ctx); err != nil {
		return err
	}
	if o.engine.Remote() { // it says itself when one is taken
		return nil
	}
	for _, node := range o.nodes {
		for _, port := range o.literalPorts(node.Name()) {
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port.HostPort)))
			listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", address)
			if err != nil {
				return fmt.Errorf("%w: port %d of %s: %w", conformance.ErrPortTaken, port.HostPort, node.Name(), err)
			}
			if err := listener.Close(); err != nil {
				return fmt.Errorf("look whether port %d is free: %w", port.HostPort, err)
			}
		}
	}
	return nil
}

func (o *operator) Discard(ctx context.Context) error {
	o.forget()
	return errors.Join(o.stack().Discard(ctx), o.endTurn())
}
