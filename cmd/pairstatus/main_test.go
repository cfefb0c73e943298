package main

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What this command says ends up in the logs of public builds.
func TestAddressTellsNoPassword(t *testing.T) {
	for given, want := range map[string]string{
		"postgres://app:s3cret@db.example:5433/shop?sslmode=disable":       "postgres://app@db.example:5433/shop",
		"host=/run/postgresql user=app password=s3cret dbname=shop port=1": "postgres://app@%2Frun%2Fpostgresql:1/shop",
		"host=::1 user=app password=s3cret dbname=shop port=5432":          "postgres://app@[::1]:5432/shop",
	} {
		config, err := pgx.ParseConfig(given)
		require.NoError(t, err)
		assert.Equal(t, want, address(config))
	}
}
