package conformance_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

var update = flag.Bool("update", false, "write the generated documents anew")

// TestDocsSayWhatTheRecipeGetsWrong keeps the page in step with the recipe's
// deviations and the checks that find them.
func TestDocsSayWhatTheRecipeGetsWrong(t *testing.T) {
	path := filepath.Join("..", "docs", "what-the-recipe-gets-wrong.md")
	page := wrongPage(readDeviations(t, recipeDeviations))
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, page, 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(page), string(written), "renew it with: go test ./conformance -run TestDocs -update")
}

func wrongPage(known conformance.Deviations) []byte {
	var page bytes.Buffer
	page.WriteString(`# What the recipe gets wrong, and how you would notice

Generated from [docker/deviations.yml](../docker/deviations.yml) and the checks; renew it with
` + "`go test ./conformance -run TestDocs -update`" + `.

Each entry is a check that the recipe as shipped fails; the cure is in
[overlays/hardened.yml](../overlays/hardened.yml). *Must* is what the recipe promises or PostgreSQL does,
*should* is good practice. The command shows it on real servers; it needs ` + "`make setup`" + ` once.
`)
	for _, level := range []conformance.Level{conformance.Must, conformance.Should} {
		fmt.Fprintf(&page, "\n## %s\n", strings.ToUpper(string(level[:1]))+string(level[1:]))
		for _, check := range conformance.All() {
			one, listed := known[check.ID]
			if !listed || check.Level != level {
				continue
			}
			fmt.Fprintf(&page, "\n### %s\n\n%s\n\n", check.ID, check.Obligation)
			fmt.Fprintf(&page, "- Why not: %s\n", oneLine(one.Reason))
			fmt.Fprintf(&page, "- How you would notice: %s\n", oneLine(one.Consequence))
			fmt.Fprintf(&page, "- Cure: %s\n", oneLine(one.Cure))
			fmt.Fprintf(&page, "- Source: %s\n", check.Source)
			fmt.Fprintf(&page, "\n```shell\ngo test ./conformance -v -run 'TestRecipe' -args -profile all -checks %s\n```\n", check.ID)
		}
	}
	return page.Bytes()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
