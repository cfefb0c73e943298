package pairtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	alterSystemSQL      = `ALTER SYSTEM SET %s = '%s'`
	alterSystemResetSQL = `ALTER SYSTEM RESET %s`
	reloadSQL           = `SELECT pg_reload_conf()`
	// settingSQL reads a parameter in its base unit, whichever SHOW chooses.
	settingSQL = `SELECT setting FROM pg_settings WHERE name = $1`
	// autoConfSQL reads what ALTER SYSTEM has set before.
	autoConfSQL = `
SELECT setting FROM pg_file_settings
 WHERE name = $1 AND sourcefile LIKE '%postgresql.auto.conf'
 ORDER BY seqno DESC LIMIT 1`
)

// setParameter changes a run-time parameter that a reload can change, and waits
// until the server goes by it. The value is as pg_settings has it: a number is
// in the parameter's base unit, and on or off is spelled so. The function it
// gives, never nil, puts back what was there.
//
// Source: PostgreSQL documentation, "ALTER SYSTEM", "pg_settings".
func setParameter(ctx context.Context, server *pair.Node, name, value string) (restore func(context.Context) error, err error) {
	restore = func(context.Context) error { return nil } // nothing was changed yet
	before, err := pair.One[string](ctx, server, settingSQL, name)
	if err != nil {
		return restore, err
	}
	undo := fmt.Sprintf(alterSystemResetSQL, name)
	earlier, err := pair.Column[string](ctx, server, autoConfSQL, name)
	if err != nil {
		return restore, err
	}
	if len(earlier) > 0 {
		undo = fmt.Sprintf(alterSystemSQL, name, strings.ReplaceAll(earlier[0], "'", "''"))
	}
	restore = func(ctx context.Context) error { return alterSystem(ctx, server, undo, name, before) }
	return restore, alterSystem(ctx, server, fmt.Sprintf(alterSystemSQL, name, value), name, value)
}

// alterSystem changes a parameter and waits until the server goes by it.
func alterSystem(ctx context.Context, server *pair.Node, sql, name, want string) error {
	const interval, limit = 5 * time.Millisecond, 10 * time.Second
	if err := server.Exec(ctx, sql); err != nil {
		return err
	}
	if err := server.Exec(ctx, reloadSQL); err != nil {
		return err
	}
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
