package conformance_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
)

// usage looks whether the flags make sense together, and with the files that
// they name, before anything is started.
func usage() error {
	recipe := len(*recipeFiles) > 0
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("there is nothing to do with %q", flag.Arg(0))
	case *patience <= 0:
		return fmt.Errorf("-timeout %g is no factor: it must be above 0", *patience)
	case *soakFor < 0 || *soakFor > 0 && others():
		return errors.New("-soak is a time, and for the project's own recipes")
	case *asJSON && !*listOnly:
		return errors.New("-json is for -list")
	case *listOnly && *adoptTo != "":
		return errors.New("-list runs no check, so -write-deviations has nothing to write")
	case recipe && *swarmStack != "":
		return errors.New("-file and -swarm name different servers")
	case !recipe && (len(*images) > 0 || len(*envFiles) > 0 || len(*serviceProfile) > 0 || *keep || *allowHost):
		return errors.New("a flag that tells of a recipe needs -file, which names the recipe")
	case !others() && (*primaryService != "" || len(*standbys) > 0 || *user != "" || *database != "" || *deviationsFile != "" || *adoptTo != ""):
		return errors.New("a flag that tells of servers needs -file or -swarm, which names them")
	case *primaryService != "" && slices.Contains(*standbys, *primaryService):
		return fmt.Errorf("-standby %[1]s: -primary says that %[1]s is the primary", *primaryService)
	}
	if _, err := askedFor(conformance.All()); err != nil || !others() {
		return err
	}
	if recipe {
		if err := recipeUsage(); err != nil {
			return err
		}
	}
	return deviationsUsage()
}

// recipeUsage reads the recipe that the flags name.
func recipeUsage() error {
	recipe, err := foreignRecipe()
	if err != nil {
		return err
	}
	model, err := recipe.options.Load(context.Background())
	if err != nil {
		return err
	}
	if _, err := live.Servers(model, live.Roles{Primary: *primaryService, Standbys: *standbys}); err != nil {
		return fmt.Errorf("read %s: %w; -primary and -standby name services that do", strings.Join(recipe.options.Files, ", "), err)
	}
	return nil
}

// deviationsUsage reads the list of deviations that the flags name.
func deviationsUsage() error {
	if *deviationsFile != "" {
		if _, err := deviationsIn(resolve([]string{*deviationsFile})[0]); err != nil {
			return err
		}
	}
	if *adoptTo == "" {
		return nil
	}
	path := resolve([]string{*adoptTo})[0]
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("-write-deviations: %s is there already, and may hold somebody's reasons", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("-write-deviations: %w", err)
	}
	return nil
}

// What is wrong with flags and files is one line, told before an engine is
// asked for anything.
func TestWrongUsage(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	db := file("db.yml", `services: {db: {image: "postgres:15.8"}, web: {image: nginx}}`)
	for name, test := range map[string]struct {
		flags []string
		says  string
	}{
		"a word too many":          {[]string{"now"}, `nothing to do with "now"`},
		"no factor":                {[]string{"-timeout", "0"}, "-timeout 0 is no factor"},
		"a soak of others":         {[]string{"-soak", "1h", "-file", db}, "-soak is a time, and for the project's own recipes"},
		"JSON of a run":            {[]string{"-json"}, "-json is for -list"},
		"a list of a run":          {[]string{"-list", "-file", db, "-write-deviations", "x"}, "-list runs no check"},
		"no recipe to keep":        {[]string{"-keep"}, "needs -file"},
		"nobody to log in to":      {[]string{"-user", "alice"}, "needs -file or -swarm"},
		"two targets":              {[]string{"-file", db, "-swarm", "db"}, "-file and -swarm name different servers"},
		"a stack to keep":          {[]string{"-swarm", "db", "-keep"}, "needs -file"},
		"no such profile":          {[]string{"-profile", "most"}, "the profiles are core, usual, faults, all"},
		"no such check":            {[]string{"-checks", "slot/usedby"}, "no such check; near it: slot/used-by-standby"},
		"no file":                  {[]string{"-file", filepath.Join(folder, "absent.yml")}, "absent.yml: no such file or directory"},
		"a folder":                 {[]string{"-file", folder}, "is a directory"},
		"no YAML":                  {[]string{"-file", file("yaml.yml", "services: [")}, "yaml: line 1"},
		"no text":                  {[]string{"-file", file("binary.yml", "\x00\x01")}, "control characters"},
		"nothing":                  {[]string{"-file", file("empty.yml", "")}, "empty compose file"},
		"no compose file":          {[]string{"-file", file("other.yml", "hello: world")}, "'hello' not allowed"},
		"no PostgreSQL":            {[]string{"-file", file("web.yml", "services: {web: {image: nginx}}")}, "no such service runs PostgreSQL: there is only web; -primary and -standby name services that do"},
		"an unresolved variable":   {[]string{"-file", file("unset.yml", `services: {db: {image: "postgres:${ABSENT:?say which}"}}`)}, "required variable ABSENT is missing a value: say which"},
		"an image without its tag": {[]string{"-file", file("blank.yml", `services: {db: {image: "postgres:${ABSENT}"}}`)}, `service db: image "postgres:" has no tag after its colon: is a variable not set?`},
		"a hostile file":           {[]string{"-file", file("hostile.yml", "services: {db: {image: postgres, privileged: true}}")}, "reaches into the host: db: privileged"},
		"no such service":          {[]string{"-file", db, "-primary", "nobody"}, "look for server nobody: no such service runs PostgreSQL: there is only db, web"},
		"one service, two roles":   {[]string{"-file", db, "-primary", "db", "-standby", "db"}, "-standby db: -primary says that db is the primary"},
		"half an image":            {[]string{"-file", db, "-image", "db"}, "-image db: must be service=image"},
		"an image for nobody":      {[]string{"-file", db, "-image", "nobody=x"}, "it has no service nobody, only db, web"},
		"no deviations":            {[]string{"-file", db, "-deviations", filepath.Join(folder, "absent.yml")}, "read deviations: open"},
		"empty deviations":         {[]string{"-file", db, "-deviations", file("none.yml", "# none\n")}, "it is empty"},
		"stale deviations":         {[]string{"-file", db, "-deviations", file("stale.yml", "- {check: slot/old, reason: a, consequence: b, cure: c}")}, "no such check: slot/old"},
		"a list to keep":           {[]string{"-file", db, "-write-deviations", db}, "is there already"},
		"a list nowhere":           {[]string{"-file", db, "-write-deviations", filepath.Join(folder, "absent", "x.yml")}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run", "^TestRecipe$"}, test.flags...)...)
			run.Env = append(os.Environ(), "DOCKER_HOST=unix:///nonexistent/docker.sock", "CONFORMANCE_FILE=", "CONFORMANCE_PROFILE=", "CONFORMANCE_CHECKS=")
			said, err := run.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", said)
			assert.Equal(t, 2, exit.ExitCode())
			assert.Contains(t, string(said), test.says)
			assert.Equal(t, 1, strings.Count(string(said), "\n"), "%s", said)
		})
	}
}
