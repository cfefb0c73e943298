package pairtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

// A pair of the test's own, broken: every read on the standby is stale.
func ExampleNew() {
	_ = func(t *testing.T) { //nolint:thelper // it is a test
		p := pairtest.New(t, pairtest.Fast())
		_, err := p.Primary.Exec(t.Context(), `CREATE TABLE orders (item text)`)
		require.NoError(t, err)
		require.NoError(t, p.WaitForReplay(t.Context()))

		heal := p.HoldReplay(t)
		_, err = p.Primary.Exec(t.Context(), `INSERT INTO orders VALUES ('book')`)
		require.NoError(t, err)
		var count int
		require.NoError(t, p.Standby.QueryRow(t.Context(), `SELECT count(*) FROM orders`).Scan(&count))
		require.Zero(t, count)
		heal() // or leave it to the end of the test
	}
}

// A database of the test's own, on the pair that all tests share.
func ExampleDatabase() {
	_ = func(t *testing.T) { //nolint:thelper // it is a test
		t.Parallel()
		db := pairtest.Database(t, pairtest.SQL(`CREATE TABLE orders (item text)`))
		_, err := db.PrimaryDB().ExecContext(t.Context(), `INSERT INTO orders VALUES ('book')`)
		require.NoError(t, err)
		require.NoError(t, db.WaitForReplay(t.Context()))
		var count int
		require.NoError(t, db.StandbyDB().QueryRowContext(t.Context(), `SELECT count(*) FROM orders`).Scan(&count))
		require.Equal(t, 1, count)
	}
}
