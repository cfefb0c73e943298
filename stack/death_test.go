package stack_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// victimVariable makes the test binary a program that starts a stack and then
// ends in the way that the variable names.
const victimVariable = "STACK_TEST_VICTIM"

func splitLines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// victim says the project's name when the stack is up, and never returns.
func victim() {
	engine, err := stack.Open(context.Background(), nil)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(99)
	}
	running, err := engine.Up(context.Background(), stack.Options{
		Files: []string{sleeper}, Name: "victim", Isolatable: true,
		Limited: map[string]stack.LimitedVolume{"data": {Bytes: 1 << 20, Mode: 0o700}},
	})
	if err == nil {
		_, err = running.Link(context.Background(), "sleeper", "sleeper", 5432)
	}
	if err == nil {
		err = running.Fill(context.Background(), "data", 0)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(99)
	}
	fmt.Println("up", running.Name())
	switch os.Getenv(victimVariable) {
	case "exit":
		os.Exit(0)
	case "panic":
		go panic("for the test")
	}
	select {}
}

// startVictim gives a running victim and the name of its project.
func startVictim(t *testing.T, fate string) (*exec.Cmd, string) {
	t.Helper()
	process := exec.Command(os.Args[0]) //nolint:noctx // the test ends it by signal
	process.Env = append(os.Environ(), victimVariable+"="+fate)
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
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

func TestDeathOfTheProcessLeavesNothing(t *testing.T) {
	live(t)
	for name, test := range map[string]struct {
		fate   string
		signal syscall.Signal
		code   int // as the shell counts; -1 is killed by signal
		later  bool
	}{
		"SIGINT":               {fate: "wait", signal: syscall.SIGINT, code: 130},
		"SIGTERM":              {fate: "wait", signal: syscall.SIGTERM, code: 143},
		"SIGKILL":              {fate: "wait", signal: syscall.SIGKILL, code: -1, later: true},
		"exit without closing": {fate: "exit", code: 0, later: true},
		"panic in a goroutine": {fate: "panic", code: 2, later: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			process, project := startVictim(t, test.fate)
			if test.signal != 0 {
				require.NotEmpty(t, remains(t, project), "the victim's stack is up")
				require.NoError(t, process.Process.Signal(test.signal))
			}
			_ = process.Wait() // the exit code is looked at next
			assert.Equal(t, test.code, process.ProcessState.ExitCode())
			if test.later {
				require.Eventually(t, func() bool { return len(remains(t, project)) == 0 },
					20*time.Second, 100*time.Millisecond, "the watchdog removes what the dead process left")
			}
			assert.Empty(t, remains(t, project))
		})
	}
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
