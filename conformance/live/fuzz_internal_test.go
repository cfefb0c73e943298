package live

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// FuzzRecipe reads any text as a compose file, finds the servers in it and how
// to log in to them: it may be refused, by the errors that are promised, and
// its logins lead nowhere but to the server.
func FuzzRecipe(f *testing.F) {
	for _, seed := range []string{
		"", "services: [", "services: {db: null}", "services: {db: {image: 'postgres:'}}", "services: {db: {image: postgres, privileged: true}}",
		"services: {db: {image: postgres, environment: [POSTGRES_USER=a, 'POSTGRES_PASSWORD=p@ss:w/ord?#'], command: postgres -p 5433}}",
		"services: {db: {image: mine, ports: ['5432'], environment: {POSTGRES_PASSWORD_FILE: /run/secrets/p, POSTGRES_DB: 1}}}",
		"x-env: &env {PGUSER: r}\nservices: {a: {image: postgres, environment: *env}, b: {image: bitnami/postgresql, environment: {<<: *env}}}",
		"services: {db: {image: 'postgres:${TAG:-15}', depends_on: [db]}}", "include: [other.yml]\nservices: {}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "compose.yml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		model, err := stack.Load(t.Context(), path)
		if err != nil {
			require.True(t, errors.Is(err, stack.ErrRecipe) || errors.Is(err, stack.ErrHost), "%v", err)
			return
		}
		found, err := servers(model, Roles{})
		if err != nil {
			require.ErrorIs(t, err, ErrNoServer)
			return
		}
		tried := logins{servers: found, read: func(context.Context, string, string) (string, error) { return "x", nil }}
		for _, one := range found {
			assert.NotZero(t, one.port)
			candidates, err := tried.candidates(t.Context(), one.Name)
			require.NoError(t, err)
			require.NotEmpty(t, candidates)
			for _, login := range candidates {
				if config, err := login.config(stack.Endpoint{Address: "127.0.0.1", Port: 1}); err == nil {
					assert.Equal(t, "127.0.0.1", config.Host)
				}
			}
		}
	})
}
