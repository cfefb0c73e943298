package stack

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A context that is not there is an error, and not the end of the process.
func TestOpenWithoutItsContext(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "nobody-made-this")
	_, err := Open(t.Context(), nil)
	require.ErrorContains(t, err, "nobody-made-this")
}

// askedOverTLS is set in the process that asks.
const askedOverTLS = "STACK_TEST_ASKS_OVER_TLS"

// The settings of the docker command count for the engine: they are read once
// a process, so another one asks.
func TestEngineOverTLS(t *testing.T) {
	if os.Getenv(askedOverTLS) != "" {
		cli, err := dial(io.Discard)
		require.NoError(t, err)
		require.NoError(t, reachable(t.Context(), cli.Client(), cli.DockerEndpoint().Host))
		require.NoError(t, cli.Client().Close())
		return
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Api-Version", oldestAPI)
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ca.pem"), authority, 0o600))
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestEngineOverTLS$")
	process.Env = append(os.Environ(), askedOverTLS+"=1", "DOCKER_CONTEXT=", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+folder,
		"DOCKER_HOST="+strings.Replace(server.URL, "https", "tcp", 1))
	said, err := process.CombinedOutput()
	require.NoError(t, err, "%s", said)
}
