// Package retry is an example of reads on a standby that are tried again when
// replay has ended them (SQLSTATE 40001).
package retry

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// attempts is how often a read is begun at most.
const attempts = 5

// conflict is the state of a statement that replay has canceled, or of a
// session that it has terminated.
//
// Source: PostgreSQL documentation, "Handling Query Conflicts".
const conflict = "40001"

// Read runs a transaction on a standby, from its beginning again whenever a
// recovery conflict ends it: read must keep nothing from an earlier attempt.
func Read(ctx context.Context, standby *pgxpool.Pool, read func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	var errs []error
	for range attempts {
		err := pgx.BeginTxFunc(ctx, standby, options, read)
		var server *pgconn.PgError
		if !errors.As(err, &server) || server.Code != conflict {
			return err
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("read %d times: %w", attempts, errors.Join(errs...))
}
