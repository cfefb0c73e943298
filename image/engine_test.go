package image_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/image"
)

// recipeLabel is on the stand-in and on no other image.
const recipeLabel = "io.github.postgres-master-slave.image.recipe"

// cleanUpTimeout bounds the removal of one object.
const cleanUpTimeout = time.Minute

// engine drives the docker command for one image and one run of the tests.
type engine struct {
	ctx    context.Context //nolint:containedctx // one run, ended by a signal
	image  string
	labels []string // flags for everything that is created
	config imageConfig

	// Servers that several tests look at and none changes: one without any
	// setting but the password, and one whose names all contain spaces.
	plain  *container
	spaced spaced
}

// outcome is how a command ended.
type outcome struct {
	stdout, stderr string
	code           int
}

// newEngine fails the test if there is no engine or no image. POSTGRES_IMAGE
// names another image than the recipe's.
func newEngine(t *testing.T) *engine {
	t.Helper()
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	e := &engine{ctx: ctx, image: image.Reference}
	if name := os.Getenv("POSTGRES_IMAGE"); name != "" {
		e.image = name
	}
	answer := e.run(t, nil, "version", "--format", "{{.Server.Version}}")
	require.Zero(t, answer.code, "no Docker engine answers (do: make setup): %s", answer.stderr)
	answer = e.run(t, nil, "image", "inspect", e.image)
	require.Zero(t, answer.code, "there is no image %s (do: make setup): %s", e.image, answer.stderr)
	e.config = parseConfig(t, answer.stdout)
	e.labels = runLabels(t)
	return e
}

// runLabels are those of package stack: its sweep and `make clean` remove what
// carries them once the lock on the lease is gone, however this run ended.
func runLabels(t *testing.T) []string {
	t.Helper()
	id := "image-" + strings.ToLower(rand.Text()[:10])
	lease, err := os.Create(filepath.Join(os.TempDir(), "postgres-master-slave-"+id+".lease")) //nolint:usetesting // must outlive this process
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(lease.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	t.Cleanup(func() {
		require.NoError(t, os.Remove(lease.Name()))
		require.NoError(t, lease.Close())
	})
	host, err := os.Hostname()
	require.NoError(t, err)
	if namespace, err := os.Readlink("/proc/self/ns/mnt"); err == nil {
		host += " " + namespace
	}
	const prefix = "--label=io.github.postgres-master-slave."
	return []string{prefix + "session=" + id, prefix + "host=" + host, prefix + "lease=" + lease.Name()}
}

// standIn says whether the image says of itself that it is the stand-in.
func (e *engine) standIn() bool { return e.config.Labels[recipeLabel] != "" }

// run runs the docker command with the given input.
func (e *engine) run(t *testing.T, stdin []byte, args ...string) outcome {
	t.Helper()
	return runDocker(e.ctx, t, stdin, args...)
}

func runDocker(ctx context.Context, t *testing.T, stdin []byte, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, "docker", args...)
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=0") // buildx is not everywhere
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err, "run docker (do: make setup)")
	}
	require.NoError(t, context.Cause(ctx), "docker %s", strings.Join(args, " "))
	return outcome{stdout: stdout.String(), stderr: stderr.String(), code: command.ProcessState.ExitCode()}
}

// must is run for commands that have to succeed.
func (e *engine) must(t *testing.T, args ...string) string {
	t.Helper()
	got := e.run(t, nil, args...)
	require.Zero(t, got.code, "docker %s: %s%s", strings.Join(args, " "), got.stdout, got.stderr)
	return strings.TrimRight(got.stdout, "\n")
}

// name gives an unused name and removes what carries it when the test ends.
func (e *engine) name(t *testing.T, remove ...string) string {
	t.Helper()
	name := "postgres-image-test-" + strings.ToLower(rand.Text()[:10])
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), cleanUpTimeout)
		defer cancel()
		got := runDocker(ctx, t, nil, append(remove, name)...)
		if got.code != 0 && !strings.Contains(strings.ToLower(got.stderr), "no such") {
			t.Errorf("remove %s: %s", name, got.stderr)
		}
	})
	return name
}

// volume makes an empty volume that belongs to the given owner. Used with the
// option nocopy it behaves like a bind-mounted directory of that owner.
func (e *engine) volume(t *testing.T, owner string) string {
	t.Helper()
	name := e.name(t, "volume", "rm", "--force")
	e.must(t, append(append([]string{"volume", "create"}, e.labels...), name)...)
	if owner != "" {
		got := e.try(t, flags("--user=0:0", "--volume="+name+":/mnt:nocopy"), "chown", owner, "/mnt")
		require.Zero(t, got.code, got.stderr)
	}
	return name
}

// try runs a container to its end.
func (e *engine) try(t *testing.T, options []string, command ...string) outcome {
	t.Helper()
	c := e.create(t, options, command...)
	got := e.run(t, nil, "start", "--attach", c.name)
	return got
}

func flags(all ...string) []string { return all }

func env(name, value string) string { return fmt.Sprintf("--env=%s=%s", name, value) }
