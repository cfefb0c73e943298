package pairtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// A pool's configuration, its connection string too, leads to the database of the test.
func TestPoolNamesItsDatabase(t *testing.T) {
	server := pair.NewNode("primary", func(context.Context) (*pgx.ConnConfig, error) {
		return pair.ParseConfig("postgres://app:pass%20word@db.example:5433/app")
	})
	opened, err := pool(t, in(server, "of the test", ""))
	require.NoError(t, err)
	config := opened.Config().ConnConfig
	again, err := pgx.ParseConfig(config.ConnString())
	require.NoError(t, err)
	for name, one := range map[string]*pgx.ConnConfig{"parsed": config, "as a string": again} {
		assert.Equal(t, "db.example", one.Host, name)
		assert.EqualValues(t, 5433, one.Port, name)
		assert.Equal(t, "pass word", one.Password, name)
		assert.Equal(t, "of the test", one.Database, name)
	}
	sessions, err := in(server, "", controlName).Config(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "app", sessions.Database)
	assert.Equal(t, controlName, sessions.RuntimeParams["application_name"])
}

// What this package asks takes few of a server's connections, and not for long.
func TestControlTakesFewConnections(t *testing.T) {
	server := pair.NewNode("primary", func(context.Context) (*pgx.ConnConfig, error) {
		return pair.ParseConfig("postgres://app@db.example/app")
	})
	node := control(server, "of the test")
	t.Cleanup(node.Close)
	opened, err := node.Pool(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, opened.Config().MaxConns, int32(2))
	assert.LessOrEqual(t, opened.Config().MaxConnIdleTime, time.Second)
}
