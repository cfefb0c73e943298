package live_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// docker runs the docker command, with something to read and more variables.
func docker(t *testing.T, input string, environment []string, arguments ...string) string {
	t.Helper()
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit) // clean-up needs it too
	defer cancel()
	command := exec.CommandContext(ctx, "docker", arguments...)
	command.Stdin = strings.NewReader(input)
	command.Env = append(os.Environ(), environment...)
	said, err := command.CombinedOutput()
	require.NoError(t, err, "docker %s: %s", strings.Join(arguments, " "), said)
	return strings.TrimSpace(string(said))
}

// swarm makes the engine a swarm of its own for the test. One that is in a
// swarm is somebody's. An engine that leaves a swarm forgets the names of all
// containers that run on it, so none may.
func swarm(t *testing.T) {
	t.Helper()
	if os.Getenv("LIVE_SWARM") == "" {
		t.Skip("would take names from all containers of the engine; LIVE_SWARM=yes runs it, and so does make test-live")
	}
	running := func() string { return docker(t, "", nil, "ps", "--format", "{{.Names}}") }
	// A pair that tests share stays for some seconds after the last of them.
	alone := assert.Eventually(t, func() bool { return running() == "" }, time.Minute, time.Second)
	require.True(t, alone, "it would take their names from the containers that run on the engine: %s", running())
	if state := docker(t, "", nil, "info", "--format", "{{.Swarm.LocalNodeState}}"); state != "inactive" {
		t.Skipf("the engine is in a swarm already (%s); if a test that was killed has left it: docker swarm leave --force", state)
	}
	const bridge = "docker_gwbridge" // stays when a swarm is left
	had := docker(t, "", nil, "network", "ls", "--quiet", "--filter", "name="+bridge) != ""
	docker(t, "", nil, "swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
	t.Cleanup(func() {
		docker(t, "", nil, "swarm", "leave", "--force")
		if !had {
			docker(t, "", nil, "network", "rm", bridge)
		}
	})
	// The pair needs no ingress network, and what a swarm leaves of it holds the bridge.
	docker(t, "y\n", nil, "network", "rm", "ingress")
	docker(t, "", nil, "node", "update", "--label-add", "postgres_master=true", "--label-add", "postgres_slave=true",
		docker(t, "", nil, "info", "--format", "{{.Swarm.NodeID}}"))
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", ":0") //nolint:noctx // for a moment; Swarm publishes on every address
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, errors.Join(err, listener.Close()))
	return port
}

func deviations(t *testing.T, path string) conformance.Deviations {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	found, err := conformance.ReadDeviations(file)
	require.NoError(t, errors.Join(err, file.Close()))
	return found
}

// deploy deploys the stack as its README says, on any free ports, and gives its name.
func deploy(t *testing.T) (name string) {
	t.Helper()
	name = fmt.Sprintf("pms-swarm-%d", os.Getpid())
	for _, secret := range []string{"postgres_password", "replicator_password"} {
		docker(t, secret+" of a test", nil, "secret", "create", name+"-"+secret, "-")
	}
	t.Cleanup(func() {
		docker(t, "", nil, "stack", "rm", name)
		gone := func() bool {
			return docker(t, "", nil, "ps", "--all", "--quiet", "--filter", "label=com.docker.stack.namespace="+name) == ""
		}
		require.Eventually(t, gone, time.Minute, 100*time.Millisecond, "the stack's containers are removed")
		docker(t, "", nil, "volume", "rm", "--force", name+"_master_data", name+"_slave_data")
	})
	docker(t, "", []string{
		"PRIMARY_PORT=" + freePort(t), "STANDBY_PORT=" + freePort(t),
		"POSTGRES_SECRET=" + name + "-postgres_password", "REPLICATOR_SECRET=" + name + "-replicator_password",
	}, "stack", "deploy", "--resolve-image", "never", "--compose-file", "../../deploy/swarm.yml", name)
	return name
}

// TestSwarm deploys the pair to a swarm of one node and checks it there.
func TestSwarm(t *testing.T) {
	engine := open(t)
	swarm(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	_, err := live.Deployed(ctx, engine, "nobody-deployed-this")
	require.ErrorIs(t, err, stack.ErrNotDeployed)
	name := deploy(t)
	began := time.Now()
	target, err := live.Deployed(ctx, engine, name)
	require.NoError(t, err)
	t.Cleanup(target.Pair.Close)
	t.Logf("streams after %s", time.Since(began).Round(time.Millisecond))

	// Both tasks are replaced in between: Swarm's new containers are found.
	checks, err := conformance.Select(conformance.All(),
		"startup", "slot", "access", "settings", "standby", "propagation/changes-arrive", "lag", "teardown", "recipe",
		"restart/standby-comes-back", "restart/policy", "restart/stop-grace", "crash/primary-kill-keeps-acknowledged-rows",
		"partition/heals", "failover/promotes")
	require.NoError(t, err)
	results, err := conformance.Verify(ctx, target, checks, conformance.WithDeviations(deviations(t, "../../deploy/deviations.yml")))
	require.NoError(t, err)
	skipped := map[string]string{}
	for _, result := range results {
		reason := strings.Join(result.Reasons, "; ")
		assert.False(t, result.Verdict.Red(), "%s: %s: %s", result.Check.ID, result.Verdict, reason)
		if result.Verdict == conformance.Skip {
			skipped[result.Check.ID] = reason
			t.Logf("skipped %s: %s", result.Check.ID, reason)
		}
	}
	t.Logf("%d checks, %d passed, %d known deviations", len(results), results.Count(conformance.Pass), results.Count(conformance.Deviation))
	for id, reason := range map[string]string{
		"teardown/down-removes-everything": "may be removed with their data",
		"failover/promotes":                "may be removed with their data",
		"partition/heals":                  "Swarm disconnects no task",
	} {
		assert.Contains(t, skipped[id], reason, id)
	}
	require.NoError(t, target.Pair.WaitReady(ctx))
}

// Without a swarm there is nothing to look into.
func TestNoSwarm(t *testing.T) {
	engine := open(t)
	if state := docker(t, "", nil, "info", "--format", "{{.Swarm.LocalNodeState}}"); state != "inactive" {
		t.Skipf("the engine is in a swarm (%s)", state)
	}
	_, err := live.Deployed(t.Context(), engine, "db")
	require.ErrorIs(t, err, stack.ErrNoSwarm)
}
