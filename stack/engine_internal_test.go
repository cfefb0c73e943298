package stack

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/docker/docker/client"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Root may use every socket, so the refusal comes from a dialer.
func TestAnEngineThatMayNotBeUsed(t *testing.T) {
	engine, err := client.NewClientWithOpts(client.WithHost("unix:///var/run/docker.sock"),
		client.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
		}))
	require.NoError(t, err)
	err = reachable(t.Context(), engine, "unix:///var/run/docker.sock")
	require.ErrorIs(t, err, ErrNoPermission)
	require.NotErrorIs(t, err, ErrNoEngine)
	require.NoError(t, engine.Close())
}

func TestOpenRefusesEngines(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   error
		says   string
	}{
		"too old": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.40") }, ErrOldEngine, `API "1.40", needed is 1.41`},
		"none":    {http.NotFound, ErrNoEngine, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			folder, err := os.MkdirTemp("", "pms") //nolint:usetesting // a socket's path has to be short
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
			socket := filepath.Join(folder, "engine.sock")
			listener, err := net.Listen("unix", socket) //nolint:noctx // a listener of the test
			require.NoError(t, err)
			server := &http.Server{Handler: test.answer}
			ended := make(chan error, 1)
			go func() { ended <- server.Serve(listener) }()
			t.Setenv("DOCKER_HOST", "unix://"+socket)
			_, err = Open(t.Context(), nil)
			require.ErrorIs(t, err, test.want)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, socket)
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
		})
	}
}

// A program's own logging goes on as it was.
func TestLoggingOfTheProgram(t *testing.T) {
	before := logrus.GetLevel()
	t.Cleanup(func() { logrus.SetLevel(before) })
	logrus.SetLevel(logrus.TraceLevel)
	t.Setenv("DOCKER_HOST", "unix:///nobody/listens.sock")
	cli, err := dial(io.Discard)
	require.NoError(t, err)
	require.NoError(t, cli.Client().Close())
	assert.Equal(t, logrus.TraceLevel, logrus.GetLevel())

	var own bytes.Buffer
	logger := &logrus.Logger{Out: &own}
	quieten(logger)
	assert.Same(t, &own, logger.Out)
	logger.Out = os.Stderr
	quieten(logger)
	assert.Equal(t, io.Discard, logger.Out)
}
