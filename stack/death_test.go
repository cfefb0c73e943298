package stack_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// victimVariable makes the test binary a program that starts a stack, and
// removes it again if victimMoment is whileRemoving. What it does at that
// moment is the variable's value: wait to be ended, exit or panic.
const (
	victimVariable = "STACK_TEST_VICTIM"
	victimMoment   = "STACK_TEST_VICTIM_MOMENT"
)

// The moments at which a victim meets its end.
const (
	whileCreating = "creating" // its first container exists
	whenUp        = "up"
	whileRemoving = "removing" // its first container is being stopped
)

func splitLines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// victim says the project's name at its moment, and never returns.
func victim() {
	var project atomic.Value
	meet := sync.OnceFunc(func() {
		fmt.Println("up", project.Load())
		switch os.Getenv(victimVariable) {
		case "exit":
			os.Exit(0)
		case "panic":
			go panic("for the test")
		}
	})
	moment := os.Getenv(victimMoment)
	observe := func(step stack.Step) {
		container := strings.HasPrefix(step.Subject, "Container ")
		if container && (step.Status == "Created" && moment == whileCreating || step.Status == "Stopping" && moment == whileRemoving) {
			meet()
		}
	}
	if err := victimised(observe, &project, moment == whileRemoving, meet); err != nil {
		fmt.Println("error", err)
		os.Exit(99)
	}
	select {}
}

func victimised(observe func(stack.Step), project *atomic.Value, remove bool, meet func()) error {
	ctx := context.Background()
	engine, err := stack.Open(ctx, observe)
	if err != nil {
		return err
	}
	if os.Getenv(victimVariable) == "sweep" {
		err := engine.Close()
		if err == nil {
			os.Exit(0)
		}
		return err
	}
	running, err := engine.Prepare(ctx, stack.Options{
		Files: []string{sleeper}, Name: "victim", Isolatable: true,
		Limited: map[string]stack.LimitedVolume{"data": {Bytes: 1 << 20, Mode: 0o700}},
	})
	if err != nil {
		return err
	}
	project.Store(running.Name())
	if err := running.Up(ctx); err != nil {
		if errors.Is(err, stack.ErrInterrupted) {
			select {} // the handler ends the process
		}
		return err
	}
	if _, err = running.Link(ctx, "sleeper", "sleeper", 5432); err != nil && !errors.Is(err, stack.ErrUnreachable) {
		return err // on an engine in another network there can be none
	}
	if err := running.Fill(ctx, "data", 0); err != nil {
		return err
	}
	if !remove {
		meet()
		return nil
	}
	_ = running.Down(ctx) // the victim is to end meanwhile
	return nil
}

// startVictim gives a victim that is up, and the name of its project.
func startVictim(t *testing.T, fate string) (*exec.Cmd, string) {
	t.Helper()
	return startVictimAt(t, fate, whenUp)
}

func startVictimAt(t *testing.T, fate, moment string, environment ...string) (*exec.Cmd, string) {
	t.Helper()
	process := exec.Command(os.Args[0]) //nolint:noctx // the test ends it by signal
	process.Env = append(os.Environ(), append(environment, victimVariable+"="+fate, victimMoment+"="+moment)...)
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stderr.Close()) })
	process.Stderr = stderr
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill() }) // it has ended unless the test failed
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	name, found := strings.CutPrefix(strings.TrimSpace(line), "up ")
	require.True(t, found, line)
	return process, name
}

// remains lists the names of what the engine holds of a project.
func remains(t *testing.T, project string) []string {
	t.Helper()
	var all []string
	for _, kind := range []string{"container", "network", "volume"} {
		arguments := []string{kind, "ls", "-q", "--filter", "label=com.docker.compose.project=" + project}
		if kind == "container" {
			arguments = append(arguments, "--all")
		}
		out, err := exec.CommandContext(t.Context(), "docker", arguments...).Output()
		require.NoError(t, err)
		all = append(all, strings.Fields(string(out))...)
	}
	return all
}

func TestNextRunSweepsWhatNobodyRemoved(t *testing.T) {
	live(t)
	process, project := startVictim(t, "wait")
	alive, aliveProject := startVictim(t, "wait")
	for _, pid := range watchdogs(t, process.Process.Pid) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	require.NoError(t, process.Process.Kill())
	_ = process.Wait() // it was killed
	require.NotEmpty(t, remains(t, project), "nobody was left to remove it")

	open(t)
	assert.Empty(t, remains(t, project), "the next run removes what a dead one left")
	assert.NotEmpty(t, remains(t, aliveProject), "a run that lives is left alone")
	require.NoError(t, alive.Process.Signal(syscall.SIGINT))
	_ = alive.Wait() // it was interrupted
	assert.Empty(t, remains(t, aliveProject))
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	live(t)
	const project = "stack-test-somebody-else"
	volume := exec.CommandContext(t.Context(), "docker", "volume", "create", "--label", "com.docker.compose.project="+project, project)
	require.NoError(t, volume.Run())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), removeLimit)
		defer cancel()
		assert.NoError(t, exec.CommandContext(ctx, "docker", "volume", "rm", project).Run())
	})
	engine := open(t)
	require.NoError(t, engine.Close())
	assert.NotEmpty(t, remains(t, project))
}

// watchdogs gives the process ids of a process's children, whichever of its
// threads started them.
func watchdogs(t *testing.T, parent int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	require.NoError(t, err)
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		require.NoError(t, err)
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	require.NotEmpty(t, pids, "the process has a watchdog")
	return pids
}
