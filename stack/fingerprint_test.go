package stack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// What containers see decides whether two stacks are of one kind.
func TestFingerprint(t *testing.T) {
	for name, test := range map[string]struct {
		service string
		counts  bool // whether a change of the file changes the fingerprint
	}{
		"a mounted file":          {`volumes: ["./file:/init.sql"]`, true},
		"a mounted folder":        {`volumes: [".:/docker-entrypoint-initdb.d"]`, true},
		"a link to a file":        {`volumes: ["./link:/init.sql"]`, true},
		"data":                    {`volumes: [".:/var/lib/postgresql/data"]`, false},
		"data that is only read":  {`volumes: [".:/var/lib/postgresql/data:ro"]`, true},
		"a build":                 {`build: .`, true},
		"a Dockerfile":            {`build: {context: other, dockerfile: ../file}`, true},
		"a file that nobody uses": {`command: id`, false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file, compose := filepath.Join(folder, "file"), filepath.Join(folder, "compose.yml")
			require.NoError(t, os.WriteFile(compose, []byte("services: {db: {image: postgres, "+test.service+"}}"), 0o600))
			require.NoError(t, os.Symlink("file", filepath.Join(folder, "link")))
			fingerprint := func(content string) string {
				t.Helper()
				require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
				named, err := stack.Options{Files: []string{compose}}.Fingerprint(t.Context())
				require.NoError(t, err)
				return named
			}
			first := fingerprint("one")
			assert.Equal(t, first, fingerprint("one"))
			assert.Equal(t, test.counts, first != fingerprint("two"))
		})
	}
}

// A link in a mounted folder is followed in the container, if anywhere.
func TestFingerprintOfALink(t *testing.T) {
	folder := t.TempDir()
	compose, link := filepath.Join(folder, "compose.yml"), filepath.Join(folder, "scripts", "link")
	require.NoError(t, os.WriteFile(compose, []byte(`services: {db: {image: postgres, volumes: ["./scripts:/scripts"]}}`), 0o600))
	require.NoError(t, os.Mkdir(filepath.Dir(link), 0o700))
	require.NoError(t, os.Symlink("nowhere", link))
	before, err := stack.Options{Files: []string{compose}}.Fingerprint(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink("elsewhere", link))
	after, err := stack.Options{Files: []string{compose}}.Fingerprint(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, before, after)
}

// What a variable gives to a secret or a config is in a container, and not in the model.
func TestFingerprintOfVariables(t *testing.T) {
	for _, kind := range []string{"secrets", "configs"} {
		compose := filepath.Join(t.TempDir(), "compose.yml")
		require.NoError(t, os.WriteFile(compose, []byte("services: {db: {image: postgres, "+kind+": [pw]}}\n"+kind+": {pw: {environment: PW}}\n"), 0o600))
		fingerprint := func(password string) string {
			t.Helper()
			named, err := stack.Options{Files: []string{compose}, Environment: []string{"PW=" + password}}.Fingerprint(t.Context())
			require.NoError(t, err)
			return named
		}
		first := fingerprint("one")
		assert.Equal(t, first, fingerprint("one"), kind)
		assert.NotEqual(t, first, fingerprint("two"), kind)
	}
}
