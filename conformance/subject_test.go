package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// Whose recipe is checked, and what cannot be known of it. Paths that are not
// absolute count from the project's root. Variables stand in for two flags, see
// standIn.
//
//	go test ./conformance -args -file /path/docker-compose.yml -checks slot,standby
//	go test ./conformance -args -swarm NAME
var (
	swarmStack     = flag.String("swarm", "", "`name` of a stack deployed to a Docker Swarm, to check in place of the project's own recipe")
	recipeFiles    = words("file", "compose `files` of a recipe to check in place of the project's own; or else those in $CONFORMANCE_FILE")
	envFiles       = words("env-file", "`files` of variables that the compose files refer to; without it .env beside the first")
	serviceProfile = words("compose-profile", "`profiles` of the compose files to activate")
	images         = words("image", "`service=image` to run in place of the one named or built")
	primaryService = flag.String("primary", "", "`service` that is the primary, where asking would leave doubts")
	standbys       = words("standby", "`services` that are its standbys")
	user           = flag.String("user", "", "`role` to log in as, where the services' variables do not tell")
	password       = flag.String("password", "", "its password; or else $CONFORMANCE_PASSWORD, which keeps it out of the process list")
	database       = flag.String("database", "", "`name` of the database to work in")
	deviationsFile = flag.String("deviations", "", "`file` of the recipe's known deviations")
	allowHost      = flag.Bool("allow-host", false, "run also what reaches into the host")
	keep           = flag.Bool("keep", false, "keep the servers of a run that failed, and say how to look at them")
)

// list is a flag that can be repeated, or hold several words between commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	*l = append(*l, strings.FieldsFunc(text, func(r rune) bool { return r == ',' })...)
	return nil
}

func words(name, usage string) *list {
	found := new(list)
	flag.Var(found, name, usage)
	return found
}

// standIn sets by the environment what no flag has set.
func standIn(flags *flag.FlagSet, environment func(string) string) error {
	given := map[string]bool{}
	flags.Visit(func(one *flag.Flag) { given[one.Name] = true })
	for name, variable := range map[string]string{"file": "CONFORMANCE_FILE", "password": "CONFORMANCE_PASSWORD"} {
		if value := environment(variable); value != "" && !given[name] {
			if err := flags.Set(name, value); err != nil {
				return fmt.Errorf("read %s: %w", variable, err)
			}
		}
	}
	return nil
}

// subject is a recipe to check.
type subject struct {
	name    string
	options stack.Options
	choices []live.Option
	known   conformance.Deviations // nil is none
	foreign bool                   // not the project's own
	swarm   string                 // a stack that runs already, in the place of options
}

// shipped is the project's recipe, with overlays over it.
func shipped(t *testing.T, name string, overlays ...string) subject {
	t.Helper()
	found := subject{name: name, options: stack.Options{Files: append([]string{recipeFile}, overlays...), Name: name}}
	if len(overlays) == 0 {
		found.known = readDeviations(t, recipeDeviations)
	}
	return found
}

// others says whether the flags name servers that are not the project's.
func others() bool { return len(*recipeFiles) > 0 || *swarmStack != "" }

// asked is what -file or -swarm names, or else the project's recipe.
func asked(t *testing.T) subject {
	t.Helper()
	if !others() {
		return shipped(t, "recipe")
	}
	found := deployedStack()
	if *swarmStack == "" {
		var err error
		found, err = foreignRecipe()
		require.NoError(t, err)
	}
	if *deviationsFile != "" {
		found.known = readDeviations(t, resolve([]string{*deviationsFile})[0])
	}
	return found
}

// told is what the flags say of servers that are not the project's.
func told() []live.Option {
	return []live.Option{
		live.WithRoles(live.Roles{Primary: *primaryService, Standbys: *standbys}),
		live.WithLogin(live.Login{User: *user, Password: *password, Database: *database}),
	}
}

// deployedStack is the one that -swarm names.
func deployedStack() subject {
	return subject{name: *swarmStack, swarm: *swarmStack, foreign: true, choices: told()}
}

// foreignRecipe is the one that -file names.
func foreignRecipe() (subject, error) {
	found := subject{foreign: true, choices: told()}
	found.options = stack.Options{
		Files: resolve(*recipeFiles), EnvFiles: resolve(*envFiles), Environment: os.Environ(), Profiles: *serviceProfile,
		Images: map[string]string{}, AllowHost: *allowHost, Detached: *keep,
	}
	for _, one := range *images {
		service, image, ok := strings.Cut(one, "=")
		if !ok || service == "" || image == "" {
			return found, fmt.Errorf("-image %s: must be service=image", one)
		}
		found.options.Images[service] = image
	}
	found.name = filepath.Base(filepath.Dir(found.options.Files[0]))
	found.options.Name = found.name
	return found, nil
}

// resolve makes paths absolute, from the project's root.
func resolve(paths []string) []string {
	root, err := filepath.Abs("..")
	if err != nil {
		return paths
	}
	var resolved []string
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(root, path)
		}
		resolved = append(resolved, path)
	}
	return resolved
}

// onlyShipped skips a test of the project's own recipes while another one is checked.
func onlyShipped(t *testing.T) {
	t.Helper()
	if others() {
		t.Skip("-file or -swarm names other servers")
	}
}
