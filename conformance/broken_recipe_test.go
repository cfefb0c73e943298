package conformance_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// brokenRecipes holds a folder for each mutant: a compose file that is merged
// over the recipe and breaks it in one point. Each runs by hand:
//
//	docker compose -f docker/docker-compose.yml -f conformance/testdata/mutants/slot-unused/mutant.yml up
const brokenRecipes = "testdata/mutants"

// brokenRecipe is what the extension x-mutant at the top of such a file says.
type brokenRecipe struct {
	Name      string   `yaml:"-"`
	Broken    string   `yaml:"broken"`     // what is wrong, and what comes of it
	CaughtBy  []string `yaml:"caught-by"`  // checks that must fail; or one diagnosis, where it never becomes a pair
	StillPass []string `yaml:"still-pass"` // checks that must pass: the mutant breaks nothing else
	Over      string   `yaml:"over"`       // "hardened": merged over recipe and hardened overlay
	Quick     bool     `yaml:"quick"`      // runs by default
}

// neverStarts says whether a diagnosis catches it, which has no chapter.
func (b brokenRecipe) neverStarts() bool { return !strings.Contains(b.CaughtBy[0], "/") }

// runs says whether it runs when these mutants are asked for: all, some by
// name, or the quick ones.
func (b brokenRecipe) runs(asked string) bool {
	return asked == "all" || asked == "" && b.Quick || slices.Contains(strings.Split(asked, ","), b.Name)
}

// faults is how many of its checks break servers, which takes long.
func (b brokenRecipe) faults() int {
	breaks := func(id string) bool {
		return slices.ContainsFunc(conformance.Faults(), func(check conformance.Check) bool { return check.ID == id })
	}
	count := 0
	for _, id := range slices.Concat(b.CaughtBy, b.StillPass) {
		if breaks(id) {
			count++
		}
	}
	return count
}

// files are the compose files that make it.
func (b brokenRecipe) files() []string {
	files := []string{recipeFile}
	if b.Over == "hardened" {
		files = append(files, hardenedFile)
	}
	return append(files, filepath.Join(brokenRecipes, b.Name, "mutant.yml"))
}

// checksNamed gives checks by their ids, in that order.
func checksNamed(t *testing.T, ids []string) []conformance.Check {
	t.Helper()
	all := conformance.All()
	var chosen []conformance.Check
	for _, id := range ids {
		at := slices.IndexFunc(all, func(check conformance.Check) bool { return check.ID == id })
		require.GreaterOrEqual(t, at, 0, "no such check: %s", id)
		chosen = append(chosen, all[at])
	}
	return chosen
}

// readBrokenRecipes reads all of them, by name.
func readBrokenRecipes(t *testing.T) []brokenRecipe {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(brokenRecipes, "*", "mutant.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var all []brokenRecipe
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var file struct {
			Mutant brokenRecipe `yaml:"x-mutant"`
		}
		require.NoError(t, yaml.Unmarshal(text, &file), path)
		file.Mutant.Name = filepath.Base(filepath.Dir(path))
		all = append(all, file.Mutant)
	}
	return all
}

// Each mutant says what is wrong, who must notice and who must not.
func TestBrokenRecipesAreComplete(t *testing.T) {
	for _, broken := range readBrokenRecipes(t) {
		t.Run(broken.Name, func(t *testing.T) {
			assert.True(t, strings.HasSuffix(broken.Broken, "."), "broken is a sentence: %q", broken.Broken)
			assert.Contains(t, []string{"", "hardened"}, broken.Over)
			_, err := stack.Options{Files: broken.files(), Name: broken.Name}.Load(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, broken.CaughtBy)
			if broken.neverStarts() {
				assert.Empty(t, broken.StillPass, "nothing can be checked of servers that are no pair")
				require.Len(t, broken.CaughtBy, 1)
				assert.True(t, slices.ContainsFunc(diagnose.Mistakes(), func(mistake diagnose.Mistake) bool { return mistake.ID == broken.CaughtBy[0] }),
					"no such diagnosis: %s", broken.CaughtBy[0])
				return
			}
			assert.NotEmpty(t, broken.StillPass)
			ids := slices.Concat(broken.CaughtBy, broken.StillPass)
			assert.Len(t, checksNamed(t, ids), len(ids))
			slices.Sort(ids)
			assert.Equal(t, slices.Compact(slices.Clone(ids)), ids, "an id stands twice")
		})
	}
}
