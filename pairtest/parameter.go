package pairtest

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// settingSQL reads a parameter in its base unit, whichever SHOW chooses.
const settingSQL = `SELECT setting FROM pg_settings WHERE name = $1`

// setParameter changes a run-time parameter that a reload can change, and waits
// until the server goes by it. The value is as pg_settings has it: a number is
// in the parameter's base unit, and on or off is spelled so. The function it
// gives, never nil, puts back what was there.
//
// Source: PostgreSQL documentation, "pg_settings".
func setParameter(ctx context.Context, server *pair.Node, name, value string) (restore func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	before, err := pair.One[string](ctx, server, settingSQL, name)
	if err != nil {
		return nothing, err
	}
	undo, err := server.SaveParameter(ctx, name)
	if err != nil {
		return nothing, err
	}
	restore = func(ctx context.Context) error {
		if err := undo(ctx); err != nil {
			return err
		}
		return inForce(ctx, server, name, before)
	}
	if err := server.SetParameter(ctx, name, value); err != nil {
		return restore, err
	}
	return restore, inForce(ctx, server, name, value)
}

// inForce waits until a server goes by a value.
func inForce(ctx context.Context, server *pair.Node, name, want string) error {
	const interval, limit = 5 * time.Millisecond, 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var seen string
	err := pair.Poll(ctx, interval, func(ctx context.Context) (ok bool, err error) {
		seen, err = pair.One[string](ctx, server, settingSQL, name)
		return seen == want, err
	})
	if err != nil {
		return fmt.Errorf("set %s of %s to %s: it is %s, perhaps by the command line: %w", name, server.Name(), want, seen, err)
	}
	return nil
}
