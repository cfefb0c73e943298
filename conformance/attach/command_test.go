package attach_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command is cmd/conformance, built, and where its output goes.
type command struct {
	program string
}

// buildCommand builds it as it is shipped.
func buildCommand(t *testing.T) command {
	t.Helper()
	program := filepath.Join(t.TempDir(), "conformance")
	flags := []string{"build", "-trimpath", "-o", program}
	if testing.CoverMode() != "" { // what the children execute counts
		flags = append(flags, "-cover", "-coverpkg=../../...")
	}
	build := exec.CommandContext(t.Context(), "go", append(flags, "../../cmd/conformance")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	built, err := build.CombinedOutput()
	require.NoError(t, err, "%s", built)
	return command{program}
}

// outcome is what came of a run of the command.
type outcome struct {
	code           int
	stdout, stderr string
	folder         string
}

// prepare gives a run of the command whose reports go into a folder of its own.
func (c command) prepare(t *testing.T, arguments ...string) (run *exec.Cmd, folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "reports")
	run = exec.CommandContext(t.Context(), c.program, append([]string{"-out", folder}, arguments...)...)
	run.Env = append(os.Environ(), "GITHUB_ACTIONS=", "GITHUB_STEP_SUMMARY=", "CONFORMANCE_REPLICATOR_PASSWORD="+passwordOf(replicator))
	return run, folder
}

func (c command) run(t *testing.T, arguments ...string) outcome {
	t.Helper()
	run, folder := c.prepare(t, arguments...)
	var stdout, stderr bytes.Buffer
	run.Stdout, run.Stderr = &stdout, &stderr
	return conclude(t, run.Run(), run, &stdout, &stderr, folder)
}

// conclude also looks for passwords, in all that the command has written.
func conclude(t *testing.T, err error, run *exec.Cmd, stdout, stderr *bytes.Buffer, folder string) outcome {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	ended := outcome{run.ProcessState.ExitCode(), stdout.String(), stderr.String(), folder}
	assert.NotContains(t, ended.stdout, planted)
	assert.NotContains(t, ended.stderr, planted)
	files, err := os.ReadDir(folder)
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		require.NoError(t, err)
		assert.NotContains(t, string(text), planted, file.Name())
	}
	return ended
}

// servers are the flags that attach to a cluster as a role.
func (c cluster) servers(t *testing.T, role string) []string {
	t.Helper()
	flags := []string{"-primary-dsn", dsn(t, c.Primary, role)}
	for _, standby := range c.Standbys {
		flags = append(flags, "-standby-dsn", dsn(t, standby, role))
	}
	return flags
}

// passwordFile holds the password of a role.
func passwordFile(t *testing.T, role string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(path, []byte(passwordOf(role)+"\n"), 0o600))
	return path
}
