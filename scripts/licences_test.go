package scripts_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated documents anew")

// The page names every module that is linked, with its licences: a new one is
// a change that somebody sees. None may bind what links it.
func TestLicencesAreListed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command that reads them")
	}
	page := command{root(t), nil, []string{"bash", "-c", "go -C tools run ./licences 2> >(grep -v '^go: downloading ' >&2)"}}.mustRun(t)
	path := filepath.Join(root(t), "docs", "licences.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, page, string(written), "renew it with: go test ./scripts -run TestLicences -update")
	assert.NotRegexp(t, `GPL|SSPL|BUSL`, page)
}
