package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// ErrLeftBehind says that something that a run has created is still there. The
// error names the statements that remove it.
var ErrLeftBehind = errors.New("the run left something behind")

const (
	// atWorkSQL counts sessions that still work on what the run has created: a
	// statement that was given up may go on for a moment, and then commit.
	atWorkSQL = `
SELECT count(*) FROM pg_stat_activity
 WHERE state <> 'idle' AND pid <> pg_backend_pid() AND strpos(query, $1) > 0`

	// slotRemovalsSQL is for any server, a standby has slots of its own.
	slotRemovalsSQL = `
SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name)
  FROM pg_replication_slots WHERE starts_with(slot_name, $1)`

	// removalsSQL gives what removes all else, in an order that works.
	removalsSQL = `
SELECT statement
  FROM (SELECT 1 AS turn, format('ROLLBACK PREPARED %L', gid) AS statement FROM pg_prepared_xacts
         WHERE starts_with(gid, $1) AND database = current_database()
        UNION ALL
        SELECT 2, format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE starts_with(nspname, $1)
        UNION ALL
        SELECT 3, format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE starts_with(datname, $1)
        UNION ALL
        SELECT 4, format('DROP TABLESPACE %I', spcname) FROM pg_tablespace WHERE starts_with(spcname, $1)
        UNION ALL
        SELECT 5, format('DROP OWNED BY %I', rolname) FROM pg_roles WHERE starts_with(rolname, $1)
        UNION ALL
        SELECT 6, format('DROP ROLE %I', rolname) FROM pg_roles WHERE starts_with(rolname, $1)
        UNION ALL
        SELECT 7, format('ALTER DATABASE %I RESET %s', datname, split_part(entry, '=', 1))
          FROM pg_db_role_setting JOIN pg_database AS database ON database.oid = setdatabase, unnest(setconfig) AS entry
         WHERE setrole = 0 AND starts_with(entry, $1) AND NOT starts_with(datname, $1)) AS removals
 ORDER BY turn`
)

// sweep removes what checks have left on the servers that were cut off or could
// not clean up. It knows the run's objects by their names. Errors are ErrLeftBehind.
func (r *runner) sweep(ctx context.Context) error {
	const interval = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	primary := r.target.Pair.Primary
	err := pair.Poll(ctx, interval, func(ctx context.Context) (bool, error) {
		working, err := pair.One[int](ctx, primary, atWorkSQL, r.scratch)
		return working == 0, err
	})
	if err != nil {
		return fmt.Errorf("wait for the run's sessions on %s: %w: %w", primary.Name(), ErrLeftBehind, err)
	}
	failed := r.remove(ctx, primary, removalsSQL)
	for _, node := range r.target.Pair.Nodes() {
		failed = errors.Join(failed, r.remove(ctx, node, slotRemovalsSQL))
	}
	return failed
}

// remove executes the statements that a query gives, and looks whether that helped.
func (r *runner) remove(ctx context.Context, node *pair.Node, sql string) error {
	statements, err := pair.Column[string](ctx, node, sql, r.scratch)
	if err == nil && len(statements) == 0 {
		return nil
	}
	for _, statement := range statements {
		err = errors.Join(err, node.Exec(ctx, statement))
	}
	left, lookErr := pair.Column[string](ctx, node, sql, r.scratch)
	if lookErr == nil && len(left) == 0 {
		return nil
	}
	return fmt.Errorf("clean up %s: %w: %s: %w", node.Name(), ErrLeftBehind, strings.Join(left, "; "), errors.Join(err, lookErr))
}
