package pairtest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
)

// A holder knows the passwords of its pair, and whoever looks at processes does not.
func TestHolderShowsNoSecret(t *testing.T) {
	folder, err := os.MkdirTemp("", "holder") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	engine, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", folder+"/engine.sock")
	require.NoError(t, err)
	t.Cleanup(func() { _ = engine.Close() })
	t.Setenv("DOCKER_HOST", "unix://"+folder+"/engine.sock") // the holder waits at it for an answer

	m := place{folder: folder, key: "key"}
	turn, err := m.lock(t.Context())
	require.NoError(t, err)
	chosen := config{Environment: []string{"DB_PASSWORD=planted-one"}, Login: live.Login{Password: "planted-two"}}
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { ended <- m.startHolder(ctx, turn, chosen) }()

	asking, err := engine.Accept() // it has read its order
	require.NoError(t, err)
	seen := false
	for _, process := range others(t) {
		for _, file := range []string{"cmdline", "environ"} {
			content, err := os.ReadFile(filepath.Join(process, file))
			require.NoError(t, err)
			seen = seen || strings.Contains(string(content), "DOCKER_HOST=unix://"+folder)
			if strings.Contains(string(content), "planted") {
				t.Errorf("%s of the holder has a password", file)
			}
		}
	}
	assert.True(t, seen, "the holder is among those that were looked at")

	require.NoError(t, engine.Close())
	require.NoError(t, asking.Close())
	require.Error(t, <-ended, "there is no engine")
	require.NoError(t, turn.Close())
}

// others are the processes, other than this one, that run this test's binary.
func others(t *testing.T) (found []string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, process := range all {
		program, err := os.Readlink(filepath.Join(process, "exe"))
		if err == nil && program == self && filepath.Base(process) != strconv.Itoa(os.Getpid()) {
			found = append(found, process)
		}
	}
	return found
}
