package pair

import (
	"context"
	"fmt"
	"strings"
)

const (
	setParameterSQL   = `ALTER SYSTEM SET %s = '%s'`
	resetParameterSQL = `ALTER SYSTEM RESET %s`
	reloadSQL         = `SELECT pg_reload_conf()`
	// alteredSQL is what ALTER SYSTEM has set, in force or not. The last line counts.
	alteredSQL = `
SELECT setting FROM pg_file_settings
 WHERE name = $1 AND sourcefile LIKE '%/postgresql.auto.conf'
 ORDER BY seqno DESC LIMIT 1`
)

// Altered gives what ALTER SYSTEM has set a parameter to on the node, in force
// or not, and whether it has set it at all.
//
// Source: PostgreSQL documentation, "pg_file_settings".
func (n *Node) Altered(ctx context.Context, name string) (value string, altered bool, err error) {
	found, err := Column[string](ctx, n, alteredSQL, name)
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	return found[0], true, nil
}

// SetParameter sets a parameter with ALTER SYSTEM and has the node load its
// files. When the value comes into force is up to the parameter and the command
// line. The error's SQLSTATE is 0A000 where nobody may (allow_alter_system).
//
// Source: PostgreSQL documentation, "ALTER SYSTEM".
func (n *Node) SetParameter(ctx context.Context, name, value string) error {
	return n.alterSystem(ctx, fmt.Sprintf(setParameterSQL, name, strings.ReplaceAll(value, "'", "''")))
}

// SaveParameter notes what ALTER SYSTEM has set a parameter to, and gives the
// function that puts it back. It does so by name: ALTER SYSTEM RESET ALL would
// also drop what makes a server a standby.
func (n *Node) SaveParameter(ctx context.Context, name string) (restore func(context.Context) error, err error) {
	value, altered, err := n.Altered(ctx, name)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if altered {
			return n.SetParameter(ctx, name, value)
		}
		return n.alterSystem(ctx, fmt.Sprintf(resetParameterSQL, name))
	}, nil
}

// Reload has the node load its configuration files.
//
// Source: PostgreSQL documentation, "Server Signaling Functions".
func (n *Node) Reload(ctx context.Context) error { return n.Exec(ctx, reloadSQL) }

func (n *Node) alterSystem(ctx context.Context, sql string) error {
	if err := n.Exec(ctx, sql); err != nil {
		return err
	}
	return n.Reload(ctx)
}
