package conformance_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// mutant is a server that answers wrongly in one way.
type mutant struct {
	name    string
	standby bool // or else the primary
	tell    lie
}

// mutants are tried in this order. A check is caught by the first that makes it fail.
var mutants = []mutant{
	{"the standby alters rows", true, altersRows},
	{"the standby accepts what it refuses", true, acceptsAll},
	{"the standby confuses SQLSTATEs", true, confusesCodes},
	{"the standby refuses what it allows", true, refusesAll},
	{"the primary alters rows", false, altersRows},
	{"the primary accepts what it refuses", false, acceptsAll},
	{"the primary confuses SQLSTATEs", false, confusesCodes},
	{"the primary refuses what it allows", false, refusesAll},
}

// quickMutants is the chapter that runs by default; CONFORMANCE_MUTANTS=all
// runs all of the core profile that does not break or remove the servers.
const quickMutants = "standby"

// catch is how a mutant was caught.
type catch struct {
	mutant string
	took   time.Duration
}

// TestChecksCatchLyingServers runs the checks against real servers whose
// answers are changed on the way. A check that passes whatever its servers
// answer looks at nothing.
func TestChecksCatchLyingServers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	onlyShipped(t)
	all := os.Getenv("CONFORMANCE_MUTANTS") == "all"
	checks := slices.DeleteFunc(conformance.Core(), func(check conformance.Check) bool {
		return check.Disturbs || check.Consumes || check.Chapter() == "teardown" || check.Chapter() == "recipe" ||
			!all && check.Chapter() != quickMutants
	})
	target := start(t, openEngine(t, liveLine(t)), shipped(t, "mutants"))
	caught := map[string]catch{}
	for _, mutant := range mutants {
		left := slices.DeleteFunc(slices.Clone(checks), func(check conformance.Check) bool { return caught[check.ID].mutant != "" })
		for _, result := range against(t, target, mutant, left) {
			if result.Verdict == conformance.Fail {
				caught[result.Check.ID] = catch{mutant.name, result.Duration}
			}
		}
	}
	for _, check := range checks {
		if _, listed := beyondLies[check.ID]; listed {
			assert.NotContains(t, caught, check.ID, "it is caught after all: take it off the list of those that are not")
		} else {
			assert.Contains(t, caught, check.ID, "no lie of its servers makes it fail")
		}
	}
	if all {
		compare(t, filepath.Join("..", "docs", "mutants.md"), mutantsPage(checks, caught))
	}
}

// against runs checks on a target of which one server lies.
func against(t *testing.T, target *conformance.Target, mutant mutant, checks []conformance.Check) conformance.Results {
	t.Helper()
	changed := *target
	servers := &pair.Pair{Primary: target.Pair.Primary, Standbys: slices.Clone(target.Pair.Standbys)}
	if mutant.standby {
		servers.Standbys[0] = lying(servers.Standbys[0], mutant.tell)
		defer servers.Standbys[0].Close()
	} else {
		servers.Primary = lying(servers.Primary, mutant.tell)
		defer servers.Primary.Close()
	}
	changed.Pair = servers
	const hurry = 0.25 // of the checks' limits: whoever waits for a lie to become true waits in vain
	results, err := conformance.Verify(t.Context(), &changed, checks, conformance.WithTimeoutFactor(hurry))
	if err != nil {
		t.Logf("%s: %v", mutant.name, err) // lies may keep a check from cleaning up; the servers are thrown away
	}
	require.Len(t, results, len(checks), "%s: %v", mutant.name, err)
	return results
}

// compare compares a generated page with the one that is written, or writes it.
func compare(t *testing.T, path string, page []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, page, 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(page), string(written), "renew it with -update")
}

func mutantsPage(checks []conformance.Check, caught map[string]catch) []byte {
	var page bytes.Buffer
	page.WriteString(`# Which lie each check catches

Generated; renew it with ` + "`make mutants UPDATE=1`" + `. The checks of the core profile run on real
servers, one of which answers wrongly in one way. Each check must fail under at least one such mutant.

| Check | Caught when |
|--|--|
`)
	for _, check := range checks {
		how := caught[check.ID].mutant
		if reason, listed := beyondLies[check.ID]; listed {
			how = "not by lies: " + reason
		}
		fmt.Fprintf(&page, "| `%s` | %s |\n", check.ID, how)
	}
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
}

// beyondLies are the checks that no answer of a server to this process's
// statements can make fail, with the reason.
var beyondLies = map[string]string{
	"startup/same-image":         "it asks the engine, not the servers",
	"access/wrong-password":      "it is decided at the login, where no statement is answered",
	"access/logs-hold-no-secret": "it reads the containers' logs",
}
