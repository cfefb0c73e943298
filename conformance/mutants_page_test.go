package conformance_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// mutantsPage is where what catches which mutant is written down. The two
// halves come from two tests, and neither touches the other's.
const (
	mutantsPage = "../docs/mutants.md"
	liesHeading = "## Servers that lie"
)

// halves gives the page up to the lies, and the lies.
func halves(t *testing.T) (recipes, lies string) {
	t.Helper()
	page, err := os.ReadFile(filepath.FromSlash(mutantsPage))
	require.NoError(t, err)
	recipes, lies, found := strings.Cut(string(page), liesHeading)
	require.True(t, found, "%s has no heading %q", mutantsPage, liesHeading)
	return recipes, liesHeading + lies
}

func writeHalves(t *testing.T, recipes, lies string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.FromSlash(mutantsPage), []byte(recipes+lies), 0o644))
}

func recipesHalf(all []brokenRecipe, took map[string]int) string {
	var page bytes.Buffer
	page.WriteString(`# What each check is seen to catch

Generated; renew it with ` + "`make mutants UPDATE=1`" + `. A check that cannot fail proves nothing. So each is run
on servers that are wrong in one point, and must say so.

## Recipes that are broken

Each is a folder of [conformance/testdata/mutants](../conformance/testdata/mutants) with a compose file that is merged
over the recipe, or over recipe and hardened overlay. The checks named must fail; others, named in the file, must
pass. A mutant that never becomes a pair is caught by a [diagnosis](mistakes-it-names.md), as are the
recipes of [conformance/live/testdata/mistakes](../conformance/live/testdata/mistakes). The seconds are those from
the start of its containers to the last verdict, with others beside it on two cores; a dash means that nobody
has measured yet.

| Mutant | What is wrong | Caught by | Seconds |
|--|--|--|--|
`)
	for _, broken := range all {
		seconds := "-" // not measured yet
		if took[broken.Name] > 0 {
			seconds = strconv.Itoa(took[broken.Name])
		}
		fmt.Fprintf(&page, "| [%[1]s](../conformance/%[2]s/%[1]s/mutant.yml) | %[3]s | `%[4]s` | %[5]s |\n",
			broken.Name, brokenRecipes, oneLine(broken.Broken), strings.Join(broken.CaughtBy, "`, `"), seconds)
	}
	page.WriteString("\n")
	return page.String()
}

// recipesRow is a row of the table of broken recipes.
var recipesRow = regexp.MustCompile(`(?m)^\| \[([^]]+)\].* (\d+) \|$`)

// writeBrokenRecipes writes the half anew; mutants that did not run keep their seconds.
func writeBrokenRecipes(t *testing.T, all []brokenRecipe, took map[string]time.Duration) {
	t.Helper()
	written, lies := halves(t)
	whole := map[string]int{}
	for _, row := range recipesRow.FindAllStringSubmatch(written, -1) {
		var err error
		whole[row[1]], err = strconv.Atoi(row[2])
		require.NoError(t, err)
	}
	for name, duration := range took {
		whole[name] = int(duration.Round(time.Second).Seconds())
	}
	writeHalves(t, recipesHalf(all, whole), lies)
}

// The seconds vary from run to run, so they are not compared.
func TestDocsListTheBrokenRecipes(t *testing.T) {
	all := readBrokenRecipes(t)
	if *update {
		writeBrokenRecipes(t, all, nil)
	}
	written, _ := halves(t)
	withoutSeconds := regexp.MustCompile(`(?m) (\d+|-) \|$`)
	assert.Equal(t, withoutSeconds.ReplaceAllString(recipesHalf(all, nil), ""), withoutSeconds.ReplaceAllString(written, ""),
		"renew it with make mutants UPDATE=1")
}

// What caught them is known only to who runs them all.
func TestDocsListTheChecksTriedOnLies(t *testing.T) {
	var tried, written []string
	for _, check := range triedOnLies() {
		tried = append(tried, check.ID)
	}
	_, lies := halves(t)
	for _, row := range liesRow.FindAllStringSubmatch(lies, -1) {
		written = append(written, row[1])
	}
	assert.Equal(t, tried, written, "renew it with make mutants UPDATE=1")
}

func liesHalf(checks []conformance.Check, caught map[string]catch) string {
	var page bytes.Buffer
	page.WriteString(liesHeading + `

Checks run on real servers, one of which answers wrongly in one way, or on an operator that does.
Each check must fail under at least one such lie.

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
	return page.String()
}

// liesRow is a row of the table of lies.
var liesRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$")

// caughtLying are the checks that lies catch, as the page says, which
// TestChecksCatchLyingServers holds to the truth.
func caughtLying(t *testing.T) map[string]bool {
	t.Helper()
	_, lies := halves(t)
	caught := map[string]bool{}
	for _, row := range liesRow.FindAllStringSubmatch(lies, -1) {
		if !strings.HasPrefix(row[2], "not by lies") {
			caught[row[1]] = true
		}
	}
	return caught
}
