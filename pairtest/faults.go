package pairtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// fault is something that goes wrong, and how it is put right.
type fault struct {
	what   string
	takes  []Role // the servers that answer nobody while it is in force
	needs  []Role // the servers that must answer for it to be undone
	starts bool   // undoing it brings up both servers, whatever has become of them
	strike func(context.Context) error
	undo   func(context.Context) error // what waits for the whole pair is no part of it
}

// faults are those of one pair: the end of a test heals the last one first,
// while the others still hold the pair broken.
type faults struct {
	mutex   sync.Mutex
	inForce []*fault
	putOff  []*fault // healed, but for a server that another one has taken
}

func (f *faults) begin(one *fault) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.inForce = append(f.inForce, one)
}

// end takes a fault out of force. It gives what can be undone now, in this
// order, and whether nothing is in force any more.
func (f *faults) end(one *fault) (due []*fault, last bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.inForce = slices.DeleteFunc(f.inForce, func(other *fault) bool {
		return other == one || one.starts && len(other.takes) > 0
	})
	healed := append([]*fault{one}, f.putOff...)
	f.putOff = nil
	for _, other := range healed {
		if f.taken(other.needs) {
			f.putOff = append(f.putOff, other)
		} else {
			due = append(due, other)
		}
	}
	return due, len(f.inForce) == 0
}

// hold says whether a fault that is in force has taken a server.
func (f *faults) hold(server Role) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.taken([]Role{server})
}

// taken says whether a fault that is in force has taken one of the servers.
func (f *faults) taken(servers []Role) bool {
	return slices.ContainsFunc(f.inForce, func(one *fault) bool {
		return slices.ContainsFunc(one.takes, func(role Role) bool { return slices.Contains(servers, role) })
	})
}

// inject makes a fault happen. It heals once: when the function is called, or
// at the end of the test; before that, what the test does is not hindered.
func (p *Pair) inject(tb testing.TB, what string, injected fault) (heal func()) {
	tb.Helper()
	injected.what = what
	var once sync.Once
	healed := func() (err error) {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), removeLimit)
			defer cancel()
			err = p.heal(ctx, &injected)
		})
		return err
	}
	// Before the strike: one that fails half-way is healed too.
	tb.Cleanup(func() {
		if err := healed(); err != nil {
			tb.Error(err)
		}
	})
	p.faults.begin(&injected)
	ctx, cancel := context.WithTimeout(tb.Context(), removeLimit)
	defer cancel()
	if err := injected.strike(ctx); err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
	return func() {
		tb.Helper()
		if err := healed(); err != nil {
			tb.Fatal(err)
		}
	}
}

// heal undoes a fault, and waits for the pair when it was the last one.
func (p *Pair) heal(ctx context.Context, one *fault) error {
	due, last := p.faults.end(one)
	var errs []error
	for _, healed := range due {
		if err := p.undo(ctx, healed); err != nil {
			errs = append(errs, fmt.Errorf("heal after %s: %w", healed.what, err))
		}
	}
	if last {
		if err := p.control.WaitReady(ctx); err != nil {
			errs = append(errs, fmt.Errorf("heal after %s: %w", one.what, err))
		}
	}
	return errors.Join(errs...)
}

func (p *Pair) undo(ctx context.Context, one *fault) error {
	for _, role := range one.needs {
		if err := waitAnswer(ctx, p.node(role)); err != nil {
			return err
		}
	}
	return one.undo(ctx)
}

const answerSQL = `SELECT`

// waitAnswer waits for a server that may have been started a moment ago.
func waitAnswer(ctx context.Context, server *pair.Node) error {
	const interval = 20 * time.Millisecond
	var said error
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		said = server.Exec(ctx, answerSQL)
		return said == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s answers: %w", server.Name(), errors.Join(err, said))
	}
	return nil
}
