package stack

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPortTaken(t *testing.T) {
	for name, test := range map[string]struct{ said, port string }{
		"by a container": {
			"driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:5432 failed: port is already allocated", "5432",
		},
		"by a process":     {"Error starting userland proxy: listen tcp4 127.0.0.1:5433: bind: address already in use", "5433"},
		"by a process, v6": {"listen tcp6 [::]:5433: bind: address already in use", "5433"},
		"something else":   {"no such image: postgres:5432", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cause := errors.New(test.said)
			err := recognised(cause)
			require.ErrorIs(t, err, cause)
			var taken *PortTakenError
			if assert.Equal(t, test.port != "", errors.As(err, &taken)) && taken != nil {
				assert.Equal(t, test.port, taken.Port)
			}
		})
	}
}

func TestFullDiskIsRecognised(t *testing.T) {
	cause := errors.New("failed to register layer: write /usr/bin/x: no space left on device")
	require.ErrorIs(t, recognised(cause), ErrNoSpace)
	require.ErrorIs(t, recognised(cause), cause)
	require.ErrorIs(t, recognised(errors.New("copy: exit code 1: cp: error writing '/to/data/x': No space left on device")), ErrNoSpace)
}

func TestProgressWriter(t *testing.T) {
	var steps []string
	writer := &progressWriter{observe: func(step Step) { steps = append(steps, step.Subject+" "+step.Status) }}
	for _, part := range []string{`{"id":"Network a","status":"Crea`, "ting\"}\nnot JSON\n{\"text\":\"no id\"}\n", `{"id":"Network a","status":"Created"}` + "\n"} {
		written, err := writer.Write([]byte(part))
		require.NoError(t, err)
		assert.Equal(t, len(part), written)
	}
	assert.Equal(t, []string{"Network a Creating", "Network a Created"}, steps)
}

func TestLeaseIsTheSignOfLife(t *testing.T) {
	run, err := newSession(nil)
	require.NoError(t, err)
	path := run.lease.Name()
	assert.False(t, dead(path), "the run holds its lease")
	require.NoError(t, run.close())
	assert.True(t, dead(path), "the lease is gone with the run")

	abandoned := filepath.Join(t.TempDir(), "abandoned.lease")
	require.NoError(t, os.WriteFile(abandoned, nil, 0o600))
	assert.True(t, dead(abandoned), "nobody holds the lease")
}

func TestLeasesOfDeadRunsAreSwept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	run, err := newSession(nil)
	require.NoError(t, err)
	lease := func(id, text string, age time.Duration) string {
		path := leasePath(id)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		at := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, at, at))
		return path
	}
	lease("killed", host(), 0)
	lease("of-old", "", 48*time.Hour)
	kept := []string{lease("elsewhere", "another machine", 48*time.Hour), lease("begins", "", 0), run.lease.Name()}
	sweepLeases()
	left, err := filepath.Glob(leasePath("*"))
	require.NoError(t, err)
	assert.ElementsMatch(t, kept, left)
	require.NoError(t, run.close())
}

// scripts/clean.sh must know this machine's runs by the label that they have.
func TestScriptsAgreeOnTheHost(t *testing.T) {
	said, err := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail; . ../scripts/host.sh; here").Output()
	require.NoError(t, err)
	assert.Equal(t, host()+"\n", string(said))
	if machine, err := os.ReadFile("/etc/machine-id"); err == nil {
		assert.Contains(t, host(), strings.TrimSpace(string(machine)))
	}
}
