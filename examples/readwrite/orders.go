// Package readwrite is an example of a repository that writes to the primary
// and reads from the standby, with the bug that this invites, and a cure.
package readwrite

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Schema is what the repositories need.
const Schema = `CREATE TABLE orders (id bigserial PRIMARY KEY, item text NOT NULL)`

const (
	insertSQL = `INSERT INTO orders (item) VALUES ($1) RETURNING id`
	selectSQL = `SELECT item FROM orders WHERE id = $1`
)

// Naive reads from the standby whatever it has just written to the primary.
type Naive struct{ Primary, Standby *pgxpool.Pool }

// Place stores an order.
func (n *Naive) Place(ctx context.Context, item string) (id int64, err error) {
	err = n.Primary.QueryRow(ctx, insertSQL, item).Scan(&id)
	return id, err
}

// Item finds an order. The bug: the standby may not have it yet.
func (n *Naive) Item(ctx context.Context, id int64) (item string, err error) {
	err = n.Standby.QueryRow(ctx, selectSQL, id).Scan(&item)
	return item, err
}
