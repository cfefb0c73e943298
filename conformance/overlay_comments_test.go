package conformance_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// TestCuresNameChecks holds the comments of the overlay and of the Swarm stack,
// which say what each line is there for, to the checks that there are.
func TestCuresNameChecks(t *testing.T) {
	var chapters, ids []string
	for _, check := range slices.Concat(conformance.All(), literalChecks()) {
		chapters, ids = append(chapters, check.Chapter()), append(ids, check.ID)
	}
	named := regexp.MustCompile(`\b(?:` + strings.Join(chapters, "|") + `)/[a-z][a-z0-9-]+\b`)
	for _, pattern := range []string{"../overlays/*.yml", "../overlays/hardened/*", "../deploy/*.yml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, id := range named.FindAllString(string(text), -1) {
				assert.True(t, slices.Contains(ids, id), "%s names %s, which is no check", file, id)
			}
		}
	}
}
