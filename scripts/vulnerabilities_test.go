package scripts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A vulnerable function that is called is an error, until somebody accepts it
// with a reason and a last day. The database is a planted one: it says that
// pgx.ParseConfig and pgx.ConnectConfig are vulnerable, which package pair
// calls, and pgx.Connect, which it does not.
func TestVulnerabilitiesAreAcceptedOrFail(t *testing.T) {
	if testing.Short() {
		t.Skip("looks through the code with govulncheck")
	}
	planted := "VULNDB=file://" + filepath.Join(root(t), "scripts", "testdata", "vulnerabilities")
	for name, test := range map[string]struct {
		accepted, environment string
		want                  []string
		fails                 bool
	}{
		"accepted": {
			"GO-2026-9999 2999-12-31 one\nGO-2026-9997 2999-12-30 two", planted,
			[]string{"accepted until 2999-12-31: GO-2026-9999 (one)", "accepted until 2999-12-30: GO-2026-9997 (two)"},
			false,
		},
		"without network": {"", "HTTPS_PROXY=http://127.0.0.1:1", []string{"skipped: the vulnerability database cannot be reached"}, false},
		"called, and lines that say too little or too much": {
			"GO-2026-9999 2020-01-01 planted\nGO-2026-9998 2999-12-31 planted\nGO-1 planted\nGO-2 2999-12-31", planted,
			[]string{
				"GO-2026-9997: it is called", "GO-2026-9999: accepted until 2020-01-01 only (planted)", "GO-2026-9998: nothing calls it any more",
				"GO-1: needs a last day", "GO-2: needs a last day",
			},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "accepted.txt")
			require.NoError(t, os.WriteFile(file, []byte("# a comment\n"+test.accepted+"\n"), 0o644))
			environment := []string{"ACCEPTED=" + file, test.environment}
			said, err := command{root(t), environment, []string{"scripts/vulnerabilities.sh", "./pair"}}.run(t)
			for _, want := range test.want {
				assert.Contains(t, said, want)
			}
			assert.Equal(t, test.fails, err != nil, said)
		})
	}
}
