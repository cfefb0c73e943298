package scripts_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script is a script that may set nothing up: all that it needs is there.
func script(t *testing.T, name string, environment ...string) command {
	t.Helper()
	return command{root(t), append(environment, "SETUP=never"), []string{"scripts/" + name}}
}

func TestUpAndDown(t *testing.T) {
	ownProject(t)
	first := script(t, "up.sh").mustRun(t)
	for _, want := range []string{
		"connect  " + primaryURL + "\n", "         " + standbyURL + " (read-only)\n",
		"read-write", "read-only, streams", "PostgreSQL 15.", "postgres:15.8 is ", "make down",
	} {
		assert.Contains(t, first, want, "what up.sh says")
	}
	requireStreaming(t)
	before := containerIDs(t)

	second := script(t, "up.sh").mustRun(t)
	assert.Contains(t, second, "the project postgres-master-slave already runs\n")
	assert.Contains(t, second, standbyURL)

	command{line: []string{"docker", "stop", "postgres-master-slave-postgres_slave-1"}}.mustRun(t)
	third, err := script(t, "up.sh").run(t)
	require.Error(t, err, "a stopped standby cannot come back:\n%s", third)
	assert.Contains(t, third, "error: a project postgres-master-slave is there already and does not replicate\n")
	assert.Contains(t, third, "container postgres-master-slave-postgres_slave-1 (exited)\n")
	assert.Contains(t, third, "do: make down, then make up")
	assert.Equal(t, before, containerIDs(t), "no server may be touched")
	assert.Len(t, labelled(t), 5, "nothing may be removed")

	down := script(t, "down.sh").mustRun(t)
	assert.Contains(t, down, "its volumes with all data included:\n")
	requireGone(t)
	assert.Equal(t, "no project postgres-master-slave: nothing to remove\n", script(t, "down.sh").mustRun(t))
}

func TestUpNamesTheProcessThatHoldsAPort(t *testing.T) {
	ownProject(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:5433")
	require.NoError(t, err)
	output, err := script(t, "up.sh").run(t)
	require.NoError(t, listener.Close())
	require.Error(t, err, output)
	assert.Contains(t, output, "port 5433 is held by ")
	assert.Contains(t, output, "(process "+strconv.Itoa(os.Getpid())+")\n")
	assert.NotContains(t, output, "port 5432 is held")
	requireGone(t)
}

func TestUpNamesTheContainerThatHoldsAPort(t *testing.T) {
	ownProject(t)
	name := "port-holder-" + strconv.Itoa(os.Getpid())
	t.Cleanup(func() {
		output, err := exec.Command("docker", "rm", "--force", "--volumes", name).CombinedOutput() //nolint:noctx // the test's context has ended
		assert.NoError(t, err, string(output))
	})
	command{line: []string{"docker", "run", "--detach", "--name", name, "--publish", "5432:1", "--entrypoint", "sleep", "postgres:15.8", "600"}}.mustRun(t)
	output, err := script(t, "up.sh").run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "port 5432 is held by the container "+name+" (postgres:15.8)\n")
	assert.Empty(t, labelled(t), "nothing may be made")
}

// Compose creates everything and then fails, as it does on a late port clash.
func TestUpThatFailsTakesAwayWhatItMade(t *testing.T) {
	ownProject(t)
	docker, err := exec.LookPath("docker")
	require.NoError(t, err)
	path := pretended(t, `if [[ "$*" == *" up -d" ]]; then
	"`+docker+`" "${@:1:5}" create
	echo "pretended failure" >&2
	exit 1
fi
exec "`+docker+`" "$@"`)
	output, err := script(t, "up.sh", path).run(t)
	require.Error(t, err, output)
	assert.Contains(t, output, "slave_data  Created", "it must have made something")
	assert.Contains(t, output, "pretended failure\nthe run failed: removing what it made\n")
	requireGone(t)
}

func TestInterruptedUpTakesAwayWhatItMade(t *testing.T) {
	ownProject(t)
	up := script(t, "up.sh")
	process := exec.CommandContext(t.Context(), up.line[0])
	process.Dir = up.folder
	process.Env = append(withoutCompose(os.Environ()), up.environment...)
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that it gets what Ctrl-C sends
	var output strings.Builder
	process.Stdout, process.Stderr = &output, &output
	require.NoError(t, process.Start())

	ctx, cancel := context.WithTimeout(t.Context(), streamLimit)
	defer cancel()
	poll(ctx, t, "a server runs", func() error {
		if containerIDs(t) == "" {
			return os.ErrNotExist
		}
		return nil
	})
	require.NoError(t, syscall.Kill(-process.Process.Pid, syscall.SIGINT))
	interrupted := time.Now()
	require.Error(t, process.Wait(), "an interrupted run is no success")
	t.Logf("gone %.1f s after the interrupt", time.Since(interrupted).Seconds())
	assert.Contains(t, output.String(), "the run failed: removing what it made\n")
	requireGone(t)
}

// containerIDs tells whether the same servers are still there.
func containerIDs(t *testing.T) string {
	t.Helper()
	return command{line: []string{"docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", "label=" + projectLabel}}.mustRun(t)
}
