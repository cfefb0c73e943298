package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/examples/failover"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

func TestStoreSurvivesFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	p := pairtest.New(t, pairtest.Fast())
	_, err := p.Primary.Exec(t.Context(), failover.Schema)
	require.NoError(t, err)
	url, err := p.URL(t.Context(), "read-write")
	require.NoError(t, err)
	store, err := failover.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	require.NoError(t, store.Put(t.Context(), "colour", "red"))
	require.NoError(t, p.WaitForReplay(t.Context()))

	p.Kill(t, pairtest.Primary)
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorIs(t, store.Put(short, "colour", "green"), context.DeadlineExceeded, "nobody takes writes")
	p.Promote(t)
	require.NoError(t, store.Put(t.Context(), "colour", "blue"))

	var value string
	require.NoError(t, p.Standby.QueryRow(t.Context(), `SELECT value FROM settings`).Scan(&value))
	require.Equal(t, "blue", value, "it went to the promoted server")
}
