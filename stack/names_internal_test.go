package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestModelHasEveryNameOfAService(t *testing.T) {
	path := filepath.Join(t.TempDir(), "compose.yml")
	require.NoError(t, os.WriteFile(path, []byte(`
services:
  db:
    image: postgres:15.8
    container_name: pg_primary
    hostname: leader
    networks: {back: {aliases: [master, db]}, front: {aliases: [main]}}
  standby:
    image: postgres:15.8
    links: ["db:source", db]
networks: {back: {}, front: {}}
`), 0o600))
	model, err := Load(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, []string{"leader", "main", "master", "pg_primary", "source"}, model.Services["db"].Names)
	assert.Empty(t, model.Services["standby"].Names)
}
