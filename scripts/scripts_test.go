// Package scripts_test runs the scripts, and the recipe's own commands, as a
// person types them.
package scripts_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// commandLimit bounds one command. The slowest is up.sh, which itself waits two
// minutes at most.
const commandLimit = 3 * time.Minute

// root is the folder of the project.
func root(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("..")
	require.NoError(t, err)
	return folder
}

// command is one command line and where it is typed.
type command struct {
	folder      string
	environment []string // added to the environment of the test
	line        []string
}

// run gives everything that a command prints, and its error.
func (c command) run(t *testing.T) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	process := exec.CommandContext(ctx, c.line[0], c.line[1:]...)
	process.Dir = c.folder
	process.Env = append(withoutCompose(os.Environ()), c.environment...)
	process.WaitDelay = time.Second
	output, err := process.CombinedOutput()
	return string(output), err
}

// mustRun is run for a command that has to succeed.
func (c command) mustRun(t *testing.T) string {
	t.Helper()
	output, err := c.run(t)
	require.NoErrorf(t, err, "%s in %s said:\n%s", strings.Join(c.line, " "), c.folder, output)
	return output
}

// withoutCompose drops what a person set for compose: it would change what the
// literal commands mean.
func withoutCompose(environment []string) []string {
	var kept []string
	for _, one := range environment {
		if !strings.HasPrefix(one, "COMPOSE_") {
			kept = append(kept, one)
		}
	}
	return kept
}

// copyOfScripts makes a folder with nothing of the project but the scripts.
func copyOfScripts(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(folder, "scripts"), shellFiles{os.DirFS(".")}))
	return folder
}

// shellFiles hides everything but shell scripts.
type shellFiles struct{ fs.FS }

func (s shellFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	var kept []fs.DirEntry
	for _, one := range entries {
		if filepath.Ext(one.Name()) == ".sh" {
			kept = append(kept, one)
		}
	}
	return kept, err
}

// pretended makes a folder for PATH whose docker command is the given script.
func pretended(t *testing.T, script string) string {
	t.Helper()
	folder := t.TempDir()
	content := "#!/usr/bin/env bash\nset -euo pipefail\n" + script
	require.NoError(t, os.WriteFile(filepath.Join(folder, "docker"), []byte(content), 0o755))
	return "PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH")
}

// unavailable skips a test for a reason of this machine. In CI that is an error:
// there the machine has to be fit.
func unavailable(t *testing.T, format string, arguments ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		require.FailNowf(t, "this may not be skipped with CI=true", format, arguments...)
	}
	t.Skipf(format, arguments...)
}
