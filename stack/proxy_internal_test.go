package stack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unreliable puts a proxy before the engine, whose answers get lost where the
// function that the test gives says so: the engine has done what was asked.
func unreliable(t *testing.T) (lose *atomic.Pointer[func(*http.Request) bool]) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an engine")
	}
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = client.DefaultDockerHost
	}
	engine, err := client.ParseHostURL(host)
	require.NoError(t, err)
	if engine.Scheme != "unix" {
		t.Skip("the engine has no socket on this machine")
	}
	lose = &atomic.Pointer[func(*http.Request) bool]{}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", engine.Host)
	}}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: transport,
		ModifyResponse: func(answer *http.Response) error {
			if decide := lose.Load(); decide != nil && (*decide)(answer.Request) {
				return errors.New("the answer is lost")
			}
			return nil
		},
		ErrorHandler: func(answer http.ResponseWriter, _ *http.Request, err error) {
			http.Error(answer, err.Error(), http.StatusBadGateway)
		},
	}
	folder, err := os.MkdirTemp("", "pms") //nolint:usetesting // a socket's path has to be short
	require.NoError(t, err)
	socket := filepath.Join(folder, "engine.sock")
	listener, err := net.Listen("unix", socket) //nolint:noctx // a listener of the test
	require.NoError(t, err)
	server := &http.Server{Handler: proxy}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		transport.CloseIdleConnections()
		assert.NoError(t, os.RemoveAll(folder))
	})
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	return lose
}
