package readwrite_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/examples/readwrite"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

type orders interface {
	Place(ctx context.Context, item string) (int64, error)
	Item(ctx context.Context, id int64) (string, error)
}

// readOwnWrite is the test that finds the bug: on a standby that is behind.
func readOwnWrite(t *testing.T, p *pairtest.Pair, repository orders) error {
	t.Helper()
	p.HoldReplay(t)
	id, err := repository.Place(t.Context(), "book")
	require.NoError(t, err)
	_, err = repository.Item(t.Context(), id)
	return err
}

func TestReadOwnWrite(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	p := pairtest.New(t, pairtest.Fast())
	_, err := p.Primary.Exec(t.Context(), readwrite.Schema)
	require.NoError(t, err)
	require.NoError(t, p.WaitForReplay(t.Context()))
	t.Run("naive: the bug", func(t *testing.T) {
		require.ErrorIs(t, readOwnWrite(t, p, &readwrite.Naive{Primary: p.Primary, Standby: p.Standby}), pgx.ErrNoRows)
	})
	t.Run("session: the cure", func(t *testing.T) {
		require.NoError(t, readOwnWrite(t, p, &readwrite.Session{Primary: p.Primary, Standby: p.Standby}))
	})
}

// The cure still spares the primary: what the standby has is read there.
func TestReadsGoToTheStandby(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	t.Parallel()
	db := pairtest.Database(t, pairtest.SQL(readwrite.Schema), pairtest.Fast())
	session := &readwrite.Session{Primary: db.Primary, Standby: db.Standby}
	id, err := session.Place(t.Context(), "book")
	require.NoError(t, err)
	require.NoError(t, db.WaitForReplay(t.Context()))
	db.Primary.Close()
	item, err := session.Item(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "book", item)
}
