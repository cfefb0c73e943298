package stack_test

import (
	"context"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const two = "testdata/two.yml"

func state(t *testing.T, running *stack.Stack, service string) stack.Container {
	t.Helper()
	found, err := running.Inspect(t.Context(), service)
	require.NoError(t, err)
	return found
}

// dial hears a service through its published port, as it is now. To connect
// is not enough: the engine's proxy accepts whether the service listens or not.
func dial(t *testing.T, running *stack.Stack, service string) error {
	t.Helper()
	endpoint, err := running.Endpoint(t.Context(), service, 5432)
	if err != nil {
		return err
	}
	return hear(t, endpoint)
}

// hear waits for a service's first words.
func hear(t *testing.T, at stack.Endpoint) error {
	t.Helper()
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(at.Address, strconv.Itoa(int(at.Port))))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }() // only read from
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(time.Second)))
	_, err = io.ReadFull(connection, make([]byte, len("hello\n")))
	return err
}

// TestReach is for an engine whose bridges are interfaces of this machine, as
// they are on Linux.
func TestReach(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "reach"})
	address := func() string { return state(t, running, "one").Addresses[0] }

	way, err := running.Reach(t.Context(), "one", 5432)
	require.NoError(t, err)
	assert.Equal(t, stack.Endpoint{Address: address(), Port: 5432, Target: 5432}, way, "the container's own address")
	eventually(t, func() bool { return hear(t, way) == nil }, "it leads to the service")

	require.NoError(t, running.Stop(t.Context(), "one"))
	_, err = running.Reach(t.Context(), "one", 5432)
	require.ErrorIs(t, err, stack.ErrNotPublished)

	breakable := up(t, engine, stack.Options{Files: []string{two}, Name: "reach-cut", Isolatable: true})
	way, err = breakable.Reach(t.Context(), "one", 5432)
	require.NoError(t, err)
	published, err := breakable.Endpoint(t.Context(), "one", 5432)
	require.NoError(t, err)
	assert.Equal(t, published, way, "who may be cut off is reached through the engine")
}

// reaches says whether one service can connect to another by its name.
func reaches(t *testing.T, running *stack.Stack, from, to string) bool {
	t.Helper()
	ended, err := running.Exec(t.Context(), from, nil, "timeout", "1", "bash", "-c", "exec 3<>/dev/tcp/"+to+"/5432")
	require.NoError(t, err)
	return ended.ExitCode == 0
}

func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	require.Eventually(t, holds, 10*time.Second, 50*time.Millisecond, what)
}

func TestServicesCanBeStoppedAndBroken(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "break"})
	eventually(t, func() bool { return dial(t, running, "one") == nil }, "one listens")

	t.Run("stop and start", func(t *testing.T) {
		require.NoError(t, running.Stop(t.Context(), "one"))
		stopped := state(t, running, "one")
		assert.Equal(t, "exited", stopped.State)
		assert.Zero(t, stopped.ExitCode)
		require.ErrorIs(t, dial(t, running, "one"), stack.ErrNotPublished)
		assert.Equal(t, "running", state(t, running, "two").State, "the other service is left alone")
		require.NoError(t, running.Start(t.Context(), "one"))
		require.NoError(t, running.Start(t.Context(), "one"), "starting what runs is no error")
		eventually(t, func() bool { return dial(t, running, "one") == nil }, "the new port is found")
	})
	t.Run("restart", func(t *testing.T) {
		before := state(t, running, "one").Started
		require.NoError(t, running.Restart(t.Context(), "one"))
		assert.True(t, state(t, running, "one").Started.After(before))
	})
	t.Run("kill", func(t *testing.T) {
		require.NoError(t, running.Kill(t.Context(), "one", "KILL"))
		killed := state(t, running, "one")
		assert.Equal(t, "exited", killed.State)
		assert.Equal(t, 137, killed.ExitCode)
		require.Error(t, running.Kill(t.Context(), "one", "KILL"), "what has ended cannot be killed")
		require.NoError(t, running.Start(t.Context(), "one"))
	})
	t.Run("signal", func(t *testing.T) {
		gentle := up(t, engine, stack.Options{Files: []string{sleeper}, Name: "signal"})
		speaks(t, gentle)
		require.NoError(t, gentle.Kill(t.Context(), "sleeper", "TERM"))
		ctx, cancel := context.WithTimeout(t.Context(), removeLimit)
		defer cancel()
		code, err := gentle.Wait(ctx, "sleeper")
		require.NoError(t, err)
		assert.Equal(t, 7, code, "the process has handled the signal itself")
	})
	t.Run("pause", func(t *testing.T) {
		require.NoError(t, running.Pause(t.Context(), "one"))
		require.NoError(t, running.Pause(t.Context(), "one"), "freezing twice is no error")
		assert.Equal(t, "paused", state(t, running, "one").State)
		require.NoError(t, running.Unpause(t.Context(), "one"))
		require.NoError(t, running.Unpause(t.Context(), "one"))
		assert.Equal(t, "running", state(t, running, "one").State)
	})
	t.Run("recreate", func(t *testing.T) {
		_, err := running.Exec(t.Context(), "two", nil, "touch", "/data/kept")
		require.NoError(t, err)
		for _, withVolumes := range []bool{false, true} {
			require.NoError(t, running.Recreate(t.Context(), "two", withVolumes))
			ended, err := running.Exec(t.Context(), "two", nil, "test", "-e", "/data/kept")
			require.NoError(t, err)
			assert.Equal(t, withVolumes, ended.ExitCode != 0, "data are gone only with the volume")
		}
		assert.Equal(t, "running", state(t, running, "one").State)
	})
	t.Run("down without volumes", func(t *testing.T) {
		ended, err := running.Exec(t.Context(), "one", nil, "sh", "-c", "basename $(dirname $(awk '$5 == \"/scratch\" { print $4 }' /proc/self/mountinfo))")
		require.NoError(t, err)
		anonymous := strings.TrimSpace(ended.Stdout)
		require.Len(t, anonymous, 64, "the name of an anonymous volume")
		require.NoError(t, running.DownKeepingVolumes(t.Context()))
		left, err := running.Leftovers(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"volume " + running.Name() + "_data"}, left)
		require.Error(t, exec.CommandContext(t.Context(), "docker", "volume", "inspect", anonymous).Run(), "no orphan stays")
		require.NoError(t, running.Up(t.Context()))
	})
	t.Run("a service that is not there", func(t *testing.T) {
		for name, act := range map[string]func(context.Context, string) error{
			"stop": running.Stop, "start": running.Start, "restart": running.Restart, "pause": running.Pause, "unpause": running.Unpause,
		} {
			require.ErrorIs(t, act(t.Context(), "nobody"), stack.ErrNoContainer, name)
		}
	})
}

func TestIsolateCutsOffAndHeals(t *testing.T) {
	engine := open(t)
	running := up(t, engine, stack.Options{Files: []string{two}, Name: "isolate", Isolatable: true})
	eventually(t, func() bool { return reaches(t, running, "one", "two") && reaches(t, running, "two", "one") }, "both listen")
	assert.NotContains(t, strings.Join(leftovers(t, running), " "), "watch-", "what a cut needs is made by the first")

	require.NoError(t, running.Isolate(t.Context(), "two"))
	assert.False(t, reaches(t, running, "one", "two"))
	assert.False(t, reaches(t, running, "two", "one"))
	eventually(t, func() bool { return dial(t, running, "two") == nil }, "the harness still reaches it")
	require.NoError(t, dial(t, running, "one"))
	assert.Equal(t, "running", state(t, running, "two").State)

	require.NoError(t, running.Reconnect(t.Context(), "two"))
	require.NoError(t, running.Reconnect(t.Context(), "two"), "healing twice is safe")
	assert.True(t, reaches(t, running, "one", "two"), "under its name")
	assert.True(t, reaches(t, running, "two", "one"))
	eventually(t, func() bool { return dial(t, running, "two") == nil }, "its port is published")

	retries, err := running.Exec(t.Context(), "two", nil, "cat", "/proc/sys/net/ipv4/tcp_syn_retries")
	require.NoError(t, err)
	assert.Equal(t, "2\n", retries.Stdout, "a connection begun while it is being connected does not hang for two minutes")

	require.NoError(t, running.Recreate(t.Context(), "two", false))
	require.NoError(t, running.Isolate(t.Context(), "two"), "a container made anew can be cut off too")
	assert.False(t, reaches(t, running, "one", "two"))
	require.NoError(t, running.Reconnect(t.Context(), "two"))
	require.NoError(t, running.Down(t.Context()))
	assert.Empty(t, leftovers(t, running))

	plain := up(t, engine, stack.Options{Files: []string{two}, Name: "plain"})
	require.ErrorIs(t, plain.Isolate(t.Context(), "two"), stack.ErrNotIsolatable)
	alone := up(t, engine, stack.Options{Files: []string{"testdata/no-network.yml"}, Name: "alone", Isolatable: true})
	require.ErrorIs(t, alone.Isolate(t.Context(), "alone"), stack.ErrNotIsolatable)
}
