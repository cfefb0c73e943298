package pairtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// Pair is a primary and a standby of one test's own, which may be broken. Its
// embedded DB is the database that the compose file names.
type Pair struct {
	*DB
	target *conformance.Target
	faults faults
	holds  layers
	delays layers

	mutex     sync.Mutex
	databases []*DB // that tests have now
}

// New starts a pair and returns when it replicates. The test removes it, with
// its data. It fails the test when it cannot: without an engine for example,
// or with the servers' state and logs when they never became a pair.
//
// Every call makes servers of its own. Tests that break nothing want Database.
func New(tb testing.TB, options ...Option) *Pair {
	tb.Helper()
	ctx, cancel := starting(tb)
	defer cancel()
	p, err := newPair(ctx, tb, options)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func newPair(ctx context.Context, tb testing.TB, options []Option) (*Pair, error) {
	tb.Helper()
	chosen, err := configure(options)
	if err != nil {
		return nil, err
	}
	running, err := start(ctx, chosen, true)
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), removeLimit)
		defer cancel()
		if err := running.remove(ctx); err != nil {
			tb.Errorf("remove pair: %v", err)
		}
	})
	db, err := open(tb, running.target.Pair, "")
	if err != nil {
		return nil, err
	}
	return &Pair{DB: db, target: running.target}, nil
}

// running is a pair and the connection to the engine that it lives by.
type running struct {
	engine *stack.Engine
	target *conformance.Target
	stop   func(context.Context) error
}

// start makes a pair, whatever becomes of it later.
func start(ctx context.Context, chosen config, breakable bool) (*running, error) {
	engine, err := stack.Open(ctx, nil)
	if err != nil {
		return nil, err
	}
	options := chosen.stack()
	options.Isolatable = breakable
	begin := startCloned
	if chosen.Scratch {
		begin = startNew
	}
	made, err := begin(ctx, engine, chosen, options)
	if err != nil {
		if !chosen.Scratch {
			err = fmt.Errorf("start pair (option FromScratch does without a template): %w", err)
		}
		return nil, errors.Join(err, engine.Close())
	}
	return made, nil
}

// remove takes the pair away. Nothing of it may be left.
func (r *running) remove(ctx context.Context) error {
	err := r.stop(ctx)
	if err == nil {
		var left []string
		left, err = r.engine.Leftovers(ctx)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("these are left: %q", left)
		}
	}
	r.target.Pair.Close()
	return errors.Join(err, r.engine.Close())
}

// hurry switches off what makes data survive a crash of the machine.
func hurry(ctx context.Context, servers *pair.Pair) error {
	for _, server := range servers.Nodes() {
		for _, name := range []string{"fsync", "full_page_writes"} {
			if _, err := setParameter(ctx, server, name, "off"); err != nil {
				return err
			}
		}
	}
	return nil
}
