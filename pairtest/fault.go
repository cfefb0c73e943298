package pairtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Role names a server of a pair by what it was when the pair was started.
type Role string

// The servers of a pair. A standby that was promoted is still named Standby.
const (
	Primary Role = "primary"
	Standby Role = "standby"
)

// node is a server as this package talks to it.
func (p *Pair) node(role Role) *pair.Node {
	if role == Primary {
		return p.control.Primary
	}
	return p.control.Standby()
}

// Freeze stops all processes of a server where they are, as a machine that
// hangs does: connections stay open and are silent. Healing lets them go on.
// The function it gives heals at once, otherwise the end of the test does.
func (p *Pair) Freeze(tb testing.TB, role Role) (heal func()) {
	tb.Helper()
	name := p.node(role).Name()
	return p.inject(tb, "freeze "+name, fault{
		strike: func(ctx context.Context) error { return p.target.Operator.Pause(ctx, name) },
		heal: func(ctx context.Context) error {
			return errors.Join(p.target.Operator.Unpause(ctx, name), p.control.WaitReady(ctx))
		},
	})
}

// Cut separates the two servers in both directions: clients reach both, the
// standby shows what it has and receives no more. Connections that are open to
// the standby may break. Healing connects them and waits until the standby has
// caught up.
func (p *Pair) Cut(tb testing.TB) (heal func()) {
	tb.Helper()
	name := p.node(Standby).Name()
	return p.inject(tb, "cut off "+name, fault{
		strike: func(ctx context.Context) error {
			defer p.reroute()
			return p.target.Operator.Isolate(ctx, name)
		},
		heal: func(ctx context.Context) error {
			defer p.reroute()
			return errors.Join(p.target.Operator.Reconnect(ctx, name), p.control.WaitReady(ctx))
		},
	})
}

// Kill ends a server with SIGKILL, as a crash does. Healing starts the primary
// again, with its data; the standby is made anew, since the shipped recipe's
// does not survive a restart.
func (p *Pair) Kill(tb testing.TB, role Role) (heal func()) {
	tb.Helper()
	name := p.node(role).Name()
	return p.inject(tb, "kill "+name, fault{
		strike: func(ctx context.Context) error {
			return p.target.Operator.Kill(ctx, name, "KILL")
		},
		heal: func(ctx context.Context) error {
			defer p.reroute()
			if role == Standby {
				return p.renew(ctx)
			}
			return errors.Join(p.target.Operator.Start(ctx, name), p.control.WaitReady(ctx))
		},
	})
}

// renew makes the standby anew from the primary, whatever has become of it.
func (p *Pair) renew(ctx context.Context) error {
	primary, standby := p.node(Primary).Name(), p.node(Standby).Name()
	err := errors.Join(
		p.target.Operator.Unpause(ctx, primary),
		p.target.Operator.Start(ctx, primary),
		p.target.Operator.Recreate(ctx, standby, true),
	)
	if err != nil {
		return err
	}
	return p.control.WaitReady(ctx)
}

// reroute drops the pools' connections to servers that are now elsewhere.
func (p *Pair) reroute() {
	p.Primary.Reset()
	p.Standby.Reset()
	for _, node := range p.control.Nodes() {
		node.Reset()
	}
}

// fault is something that goes wrong, and how it is put right.
type fault struct {
	strike func(context.Context) error
	heal   func(context.Context) error
}

// inject makes a fault happen. It heals once: when the function is called, or
// at the end of the test; before that, what the test does is not hindered.
func (p *Pair) inject(tb testing.TB, what string, fault fault) (heal func()) {
	tb.Helper()
	var once sync.Once
	healed := func() (err error) {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), removeLimit)
			defer cancel()
			if err = fault.heal(ctx); err != nil {
				err = fmt.Errorf("heal after %s: %w", what, err)
			}
		})
		return err
	}
	// Before the strike: one that fails half-way is healed too.
	tb.Cleanup(func() {
		if err := healed(); err != nil {
			tb.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(tb.Context(), removeLimit)
	defer cancel()
	if err := fault.strike(ctx); err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
	return func() {
		tb.Helper()
		if err := healed(); err != nil {
			tb.Fatal(err)
		}
	}
}
