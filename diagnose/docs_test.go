package diagnose_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// TestDocsListTheMistakes keeps the page in step with the rules.
func TestDocsListTheMistakes(t *testing.T) {
	path := filepath.Join("..", "docs", "mistakes-it-names.md")
	page := mistakesPage()
	if *update {
		require.NoError(t, os.WriteFile(path, page, 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(page), string(written), "renew it with: go test ./diagnose -run TestDocs -update")
}

func mistakesPage() []byte {
	var page bytes.Buffer
	page.WriteString(`# Mistakes it names

Generated from the rules of package [diagnose](../diagnose); renew it with
` + "`go test ./diagnose -run TestDocs -update`" + `.

When a recipe does not become a pair, its start ends with one diagnosis: the missing fact and since when, cause,
cure, the line that shows it, and each server's last error. It looks for these mistakes in this order. Names in angle
brackets stand for what your recipe calls them. Most have a recipe that makes them, to be run by hand, in
[conformance/live/testdata/mistakes](../conformance/live/testdata/mistakes).

| Mistake | What was done | What you see | Cure |
|--|--|--|--|
`)
	for _, mistake := range diagnose.Mistakes() {
		kind := mistake.Mistake
		if mistake.Advice {
			kind += " (advice: it keeps nobody from being a pair)"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", mistake.ID, cell(kind), cell(mistake.Sees), cell(mistake.Cure))
	}
	return page.Bytes()
}

// cell makes text fit for a table of Markdown: between backticks all but the
// bar stands as it is.
func cell(text string) string {
	parts := strings.Split(strings.ReplaceAll(text, "|", `\|`), "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`).Replace(parts[i])
	}
	return strings.Join(parts, "`")
}
