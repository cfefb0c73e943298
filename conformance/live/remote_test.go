package live_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// bridgeAddress is this machine's address in the engine's default network: to
// a client that is told of it, an address like that of any other machine.
//
// Source: Docker documentation, "Bridge network driver".
const bridgeAddress = "172.17.0.1"

// elsewhere has the engine answer on TCP, as one of another machine does, and
// gives the address. Everything over it has ended with the test.
func elsewhere(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(bridgeAddress, "0")) //nolint:noctx // ends with the test
	if err != nil {
		t.Skipf("the engine's default network is not at %s: %v", bridgeAddress, err)
	}
	var group sync.WaitGroup
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		group.Wait()
	})
	group.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { forward(near) })
		}
	})
	return "tcp://" + listener.Addr().String()
}

// forward passes bytes on until both ends have said all.
func forward(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("unix", "/var/run/docker.sock") //nolint:noctx // ends with the client
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	var group sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // the client sees what is cut off
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}
	group.Go(func() { pass(far, near) })
	pass(near, far)
	_ = near.Close()
	group.Wait()
}

// Files that the recipes mount reach an engine of another machine, and what it
// publishes is reached there.
func TestRecipesOnARemoteEngine(t *testing.T) {
	const recipe, hardened = "../../docker/docker-compose.yml", "../../overlays/hardened.yml"
	for name, test := range map[string]struct {
		files   []string
		mounted string // by the compose file
		copied  string
	}{
		"recipe":   {[]string{recipe}, "/docker-entrypoint-initdb.d/00_init.sql", "/docker-entrypoint-initdb.d/00_init.sql"},
		"hardened": {[]string{recipe, hardened}, "/etc/postgresql/hardened", "/etc/postgresql/hardened/node.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("starts containers")
			}
			t.Setenv("DOCKER_HOST", elsewhere(t))
			engine := open(t)
			require.True(t, engine.Remote())
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			target, stop, err := live.Start(ctx, engine, stack.Options{Files: test.files, Name: "remote-" + name})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, stop(context.WithoutCancel(t.Context()))) })

			primary := target.Pair.Primary.Name()
			ended, err := target.Operator.Exec(ctx, primary, nil, "cat", test.copied, "/proc/self/mountinfo")
			require.NoError(t, err)
			require.Zero(t, ended.ExitCode, ended.Stderr)
			assert.NotContains(t, ended.Stdout, " "+test.mounted+" ", "nothing of this machine is mounted")
			ended, err = target.Operator.Run(ctx, primary, nil, "test", "-s", test.copied)
			require.NoError(t, err)
			assert.Zero(t, ended.ExitCode, "a one-off container has the files too")
			state, err := target.Operator.Inspect(ctx, primary)
			require.NoError(t, err)
			require.NotEmpty(t, state.Ports)
			for _, port := range state.Ports {
				assert.Equal(t, bridgeAddress, port.HostAddress)
			}
			assert.Contains(t, target.Provenance[0].Value, "ports are published on "+bridgeAddress)

			checks, err := conformance.Select(conformance.All(),
				"startup/same-cluster", "slot/used-by-standby", "standby/refuses-insert", "teardown/up-again-is-fresh")
			require.NoError(t, err)
			results, err := conformance.Verify(ctx, target, checks)
			require.NoError(t, err)
			for _, result := range results {
				assert.Equal(t, conformance.Pass, result.Verdict, "%s: %s", result.Check.ID, strings.Join(result.Reasons, "; "))
			}
		})
	}
}
