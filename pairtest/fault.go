package pairtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

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
// standby shows what it has and receives no more: its WAL receiver has ended
// when the call returns. Connections that are open to the standby may break. Healing connects them and waits until the standby has
// caught up.
func (p *Pair) Cut(tb testing.TB) (heal func()) {
	tb.Helper()
	name := p.node(Standby).Name()
	return p.inject(tb, "cut off "+name, fault{
		strike: func(ctx context.Context) error {
			if err := p.isolate(ctx, name); err != nil {
				return err
			}
			return p.endReceiver(ctx)
		},
		undo: func(ctx context.Context) error {
			defer p.reroute()
			return p.target.Operator.Reconnect(ctx, name)
		},
	})
}

func (p *Pair) isolate(ctx context.Context, name string) error {
	defer p.reroute()
	return p.target.Operator.Isolate(ctx, name)
}

const receiverSQL = `SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'`

// endReceiver ends the WAL receiver of a standby that is cut off: by itself it
// waits for wal_receiver_timeout, a minute, and says all the while that it
// streams. It is no backend that pg_terminate_backend would end. A standby that
// another fault has taken answers nobody, and is left as it is.
func (p *Pair) endReceiver(ctx context.Context) error {
	const interval = 20 * time.Millisecond
	if p.faults.hold(Standby) {
		return nil
	}
	standby := p.node(Standby)
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		receivers, err := pair.Column[int](ctx, standby, receiverSQL)
		if err != nil || len(receivers) == 0 {
			return err == nil, err
		}
		// It may have ended meanwhile: the next look tells.
		_, err = p.target.Operator.Exec(ctx, standby.Name(), nil, "sh", "-c", `kill "$0"`, strconv.Itoa(receivers[0]))
		return false, err
	})
	if err != nil {
		return fmt.Errorf("end the WAL receiver: %w", err)
	}
	return nil
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

// failBack makes the old primary the primary again, and the promoted server its
// standby. That one goes first: an old primary of the hardened overlay does not
// serve beside it, and no other one should.
func (p *Pair) failBack(ctx context.Context) error {
	primary, standby := p.node(Primary), p.node(Standby).Name()
	// It may be down already, or gone; when it is not, making it anew fails too.
	_ = p.target.Operator.Kill(ctx, standby, "KILL")
	err := errors.Join(
		p.target.Operator.Unpause(ctx, primary.Name()),
		p.target.Operator.Start(ctx, primary.Name()),
	)
	p.reroute()
	if err != nil {
		return err
	}
	if err := waitAnswer(ctx, primary); err != nil {
		return err
	}
	return p.renew(ctx)
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
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, db := range append([]*DB{p.DB}, p.databases...) {
		db.reset()
	}
}
