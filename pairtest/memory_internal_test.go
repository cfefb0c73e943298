package pairtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

func recipe(t *testing.T, text string) config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return config{Files: []string{file}, Memory: 1}
}

// What can have no template is told before anything is started or pulled.
func TestNoDataInMemory(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"an image that is built":        {`services: {db: {build: ., volumes: ["data:/data"]}}` + "\nvolumes: {data: {}}", errBuilt},
		"data on no volume with a name": {`services: {db: {image: postgres, volumes: ["/data"]}}`, stack.ErrNoVolume},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pullFor(t.Context(), nil, recipe(t, test.text), stack.Options{})
			require.ErrorIs(t, err, test.want)
		})
	}
}

func TestVolumesInMemory(t *testing.T) {
	chosen := recipe(t, `
services: {db: {image: postgres, volumes: ["data:/var/lib/postgresql/data"]}}
volumes: {data: {}, unused: {}}
`)
	limited, err := inMemory(t.Context(), chosen)
	require.NoError(t, err)
	assert.Equal(t, map[string]stack.LimitedVolume{"data": {Bytes: 1}}, limited)
}
