package pair_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// A session as another role must not become everybody's.
func TestConfigIsTheCallersOwn(t *testing.T) {
	shared, err := pair.ParseConfig("postgres://app:password@db.example/shop")
	require.NoError(t, err)
	node := pair.NewNode("primary", func(context.Context) (*pgx.ConnConfig, error) { return shared, nil })
	config, err := node.Config(t.Context())
	require.NoError(t, err)
	pair.AsRole("reader", "other")(config)
	pair.WithParameter("replication", "true")(config)
	assert.Equal(t, "app", shared.User)
	assert.Equal(t, "password", shared.Password)
	assert.Empty(t, shared.RuntimeParams)
}

func TestAnotherRoleKeepsTheDatabase(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://app@db.example/shop": "shop",
		"postgres://app@db.example":      "app", // PostgreSQL's own default
	} {
		config, err := pair.ParseConfig(dsn)
		require.NoError(t, err)
		pair.AsRole("reader", "other")(config)
		assert.Equal(t, want, config.Database, dsn)
	}
}

// A pool goes by its node, whatever the environment says of other servers.
func TestPoolGoesByItsNode(t *testing.T) {
	t.Setenv("PGSSLMODE", "nonsense")
	t.Setenv("PGPORT", "nonsense")
	node := pair.NewNode("primary", func(context.Context) (*pgx.ConnConfig, error) {
		return pair.ParseConfig("postgres://app@127.0.0.1:1/shop?sslmode=disable")
	})
	t.Cleanup(node.Close)
	require.ErrorContains(t, node.Exec(t.Context(), "SELECT 1"), "127.0.0.1:1")
}

// What somebody takes a pool's configuration for must reach the pool's server.
func TestPoolNamesItsServer(t *testing.T) {
	node := pair.NewNode("primary", func(context.Context) (*pgx.ConnConfig, error) {
		return pair.ParseConfig("postgres://app:password@db.example:5433/shop")
	})
	pool, err := node.NewPool(t.Context(), 0)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	config := pool.Config().ConnConfig
	assert.Equal(t, "db.example", config.Host)
	assert.EqualValues(t, 5433, config.Port)
	assert.Equal(t, "app", config.User)
	assert.Equal(t, "shop", config.Database)
	again, err := pgx.ParseConfig(config.ConnString())
	require.NoError(t, err)
	assert.Equal(t, config.Host, again.Host)
	assert.Equal(t, config.Database, again.Database)
}
