package scripts_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const (
	project      = "postgres-master-slave"
	projectLabel = "com.docker.compose.project=" + project
)

// The recipe's own commands, as its readme has them, from every folder where
// they must work. How the servers are brought up and how they are removed does
// not depend on each other, so each is there once. The last two removals are of
// created servers: what is new in them is how the project is found.
func TestRecipeCommands(t *testing.T) {
	const project = "-p postgres-master-slave"
	top := root(t)
	inside := filepath.Join(top, "docker")
	elsewhere := t.TempDir()
	for _, one := range []struct {
		name, up, upIn, down, downIn string
		created                      bool
	}{
		{
			name: "named file, old name",
			up:   "docker compose -f ./docker/docker-compose.yml " + project + " up -d", upIn: top,
			down: "docker-compose " + project + " down -v", downIn: top,
		},
		{
			name: "from docker/",
			up:   "docker compose " + project + " up -d", upIn: inside,
			down: "docker compose " + project + " down -v", downIn: elsewhere,
		},
		{
			name: "from the root",
			up:   "docker compose " + project + " up -d", upIn: top,
			down: "docker compose " + project + " down -v", downIn: top,
		},
		{
			name: "down from docker/",
			up:   "docker compose " + project + " create", upIn: top, created: true,
			down: "docker compose " + project + " down -v", downIn: inside,
		},
		{
			name: "down from docker/, old name",
			up:   "docker compose " + project + " create", upIn: top, created: true,
			down: "docker-compose " + project + " down -v", downIn: inside,
		},
	} {
		t.Run(one.name, func(t *testing.T) {
			ownProject(t)
			down := command{folder: one.downIn, line: strings.Fields(one.down)}
			if _, err := exec.LookPath(down.line[0]); err != nil {
				unavailable(t, "%s is not on PATH: make setup", down.line[0])
			}
			command{folder: one.upIn, line: strings.Fields(one.up)}.mustRun(t)
			require.Len(t, labelled(t), 5, "two containers, a network and two volumes")
			if !one.created {
				requireStreaming(t)
			}
			down.mustRun(t)
			requireGone(t)
		})
	}
}

// ownProject makes sure that this test may make the project postgres-master-slave,
// and that nothing of it outlives the test. A person's own is never touched.
func ownProject(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an engine and the recipe's ports")
	}
	output, err := command{folder: root(t), line: []string{"docker", "image", "inspect", "--format", "there", "postgres:15.8"}}.run(t)
	require.NoErrorf(t, err, "no engine, or no image postgres:15.8 on it; run: make setup\n%s", output)
	if found := labelled(t); len(found) > 0 {
		unavailable(t, "a project %s is there already: %s", project, strings.Join(found, ", "))
	}
	release, err := stack.TakeTurn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, release()) })
	for _, port := range []string{"5432", "5433"} {
		if err := free(t, port); err != nil {
			unavailable(t, "port %s is taken: %v", port, err)
		}
	}
	t.Cleanup(func() {
		for _, one := range labelled(t) {
			t.Logf("left behind, removed now: %s", one)
			kind, name, _ := strings.Cut(one, " ")
			remove := map[string][]string{
				"container": {"docker", "rm", "--force", "--volumes", name},
				"network":   {"docker", "network", "rm", name},
				"volume":    {"docker", "volume", "rm", name},
			}[kind]
			if output, err := exec.Command(remove[0], remove[1:]...).CombinedOutput(); err != nil { //nolint:noctx // the test's context has ended
				t.Errorf("remove %s: %v: %s", one, err, output)
			}
		}
	})
}

// requireGone fails unless the project has left no trace.
func requireGone(t *testing.T) {
	t.Helper()
	require.Empty(t, labelled(t), "what carries the project's label")
	for _, port := range []string{"5432", "5433"} {
		require.NoErrorf(t, free(t, port), "port %s", port)
	}
}

// labelled lists what carries the project's label, containers first.
func labelled(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, kind := range []struct {
		name string
		list []string
	}{
		{"container", []string{"docker", "ps", "--all", "--format", "{{.Names}}"}},
		{"network", []string{"docker", "network", "ls", "--format", "{{.Name}}"}},
		{"volume", []string{"docker", "volume", "ls", "--format", "{{.Name}}"}},
	} {
		line := append(kind.list, "--filter", "label="+projectLabel) //nolint:gocritic // a new line each time
		output, err := exec.Command(line[0], line[1:]...).Output()   //nolint:noctx // also called when the test's context has ended
		require.NoError(t, err, "list by label")
		for name := range strings.FieldsSeq(string(output)) {
			found = append(found, kind.name+" "+name)
		}
	}
	return found
}

// free gives the reason why a port cannot be listened on.
func free(t *testing.T, port string) error {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":"+port)
	if err != nil {
		return err
	}
	return listener.Close()
}
