package pairtest

import (
	"context"
	"errors"
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
//
// Faults may overlap. Healing any of them waits for the whole pair only when no
// other one is in force, and what needs a server that another one has taken is
// put right with that one.
func (p *Pair) Freeze(tb testing.TB, role Role) (heal func()) {
	tb.Helper()
	name := p.node(role).Name()
	return p.inject(tb, "freeze "+name, fault{
		takes:  []Role{role},
		strike: func(ctx context.Context) error { return p.target.Operator.Pause(ctx, name) },
		undo:   func(ctx context.Context) error { return p.target.Operator.Unpause(ctx, name) },
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
		undo: func(ctx context.Context) error {
			defer p.reroute()
			return p.target.Operator.Reconnect(ctx, name)
		},
	})
}

// Kill ends a server with SIGKILL, as a crash does. Healing starts the primary
// again, with its data; the standby is made anew, since the shipped recipe's
// does not survive a restart.
func (p *Pair) Kill(tb testing.TB, role Role) (heal func()) {
	tb.Helper()
	name := p.node(role).Name()
	killed := fault{
		takes:  []Role{role},
		strike: func(ctx context.Context) error { return p.target.Operator.Kill(ctx, name, "KILL") },
		undo: func(ctx context.Context) error {
			defer p.reroute()
			return p.target.Operator.Start(ctx, name)
		},
	}
	if role == Standby {
		killed.needs, killed.undo = []Role{Primary}, p.renew
	}
	return p.inject(tb, "kill "+name, killed)
}

// renew makes the standby anew from the primary, whatever has become of it.
func (p *Pair) renew(ctx context.Context) error {
	defer p.reroute()
	primary, standby := p.node(Primary).Name(), p.node(Standby).Name()
	return errors.Join(
		p.target.Operator.Unpause(ctx, primary),
		p.target.Operator.Start(ctx, primary),
		p.target.Operator.Recreate(ctx, standby, true),
	)
}

// reroute drops the pools' connections to servers that are now elsewhere.
func (p *Pair) reroute() {
	p.Primary.Reset()
	p.Standby.Reset()
	for _, node := range p.control.Nodes() {
		node.Reset()
	}
}
