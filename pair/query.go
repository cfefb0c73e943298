package pair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec runs a statement in the node's pool.
func (n *Node) Exec(ctx context.Context, sql string, arguments ...any) error {
	pool, err := n.Pool(ctx)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, sql, arguments...); err != nil {
		return fmt.Errorf("execute on %s: %w", n.name, err)
	}
	return nil
}

// One reads the single value that a query gives: one row, one column.
// No row is pgx.ErrNoRows, several are pgx.ErrTooManyRows.
func One[T any](ctx context.Context, n *Node, sql string, arguments ...any) (T, error) {
	return exactlyOne(ctx, n, pgx.RowTo[T], sql, arguments...)
}

// OneRow reads the single row that a query gives into a struct, by column name.
func OneRow[T any](ctx context.Context, n *Node, sql string, arguments ...any) (T, error) {
	return exactlyOne(ctx, n, pgx.RowToStructByName[T], sql, arguments...)
}

// Rows reads all rows of a query into structs, by column name.
func Rows[T any](ctx context.Context, n *Node, sql string, arguments ...any) ([]T, error) {
	return collect(ctx, n, pgx.RowToStructByName[T], sql, arguments...)
}

// Column reads the only column of a query.
func Column[T any](ctx context.Context, n *Node, sql string, arguments ...any) ([]T, error) {
	return collect(ctx, n, pgx.RowTo[T], sql, arguments...)
}

func exactlyOne[T any](ctx context.Context, n *Node, read pgx.RowToFunc[T], sql string, arguments ...any) (T, error) {
	values, err := collect(ctx, n, read, sql, arguments...)
	var none T
	switch {
	case err != nil:
		return none, err
	case len(values) == 0:
		return none, fmt.Errorf("query %s: %w", n.name, pgx.ErrNoRows)
	case len(values) > 1:
		return none, fmt.Errorf("query %s: %w: %d", n.name, pgx.ErrTooManyRows, len(values))
	}
	return values[0], nil
}

func collect[T any](ctx context.Context, n *Node, read pgx.RowToFunc[T], sql string, arguments ...any) ([]T, error) {
	pool, err := n.Pool(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", n.name, err)
	}
	values, err := pgx.CollectRows(rows, read)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", n.name, err)
	}
	return values, nil
}

// SQLState gives the SQLSTATE of the server's error in err, or "" if the
// server did not answer with one. Of several attempts at one connection, such
// as without and with TLS, the last answer counts: it is what the others led to.
func SQLState(err error) string {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		if attempts, ok := connecting.Unwrap().(interface{ Unwrap() []error }); ok {
			for _, attempt := range slices.Backward(attempts.Unwrap()) {
				if code := SQLState(attempt); code != "" {
					return code
				}
			}
			return ""
		}
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}
