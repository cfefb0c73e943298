package retry_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/examples/retry"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

func TestReadIsTriedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	p := pairtest.New(t, pairtest.Fast())
	struck := p.Conflict(t) // with the first transaction that reads on the standby
	begun := 0
	err := retry.Read(t.Context(), p.Standby, func(tx pgx.Tx) error {
		begun++
		slow := 20.0
		if begun > 1 {
			struck()
			slow = 0
		}
		_, err := tx.Exec(t.Context(), `SELECT pg_sleep($1)`, slow)
		return err
	})
	require.NoError(t, err)
	assert.Equal(t, 2, begun)
}

// What is wrong otherwise is told at once.
func TestOtherErrorsAreNot(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	db := pairtest.Database(t, pairtest.Migration{}, pairtest.Fast())
	begun := 0
	err := retry.Read(t.Context(), db.Standby, func(tx pgx.Tx) error {
		begun++
		_, err := tx.Exec(t.Context(), `CREATE TABLE refused ()`)
		return err
	})
	require.ErrorContains(t, err, "25006")
	assert.Equal(t, 1, begun)
}
