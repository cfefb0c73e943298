package stack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allMoments, set, has every interruption happen at every moment.
const allMoments = "STACK_TEST_MOMENTS"

// interruption is a way in which a process with a stack ends.
type interruption struct {
	fate    string // of the victim itself
	end     func(t *testing.T, victim *exec.Cmd, watchdogs []int)
	code    int      // as package exec tells it: -1 is killed by a signal
	leaves  bool     // what was up is there at its end, and the watchdog then removes it
	moments []string // without allMoments
}

func interruptions() map[string]interruption {
	return map[string]interruption{
		"SIGINT":               {end: send(syscall.SIGINT), code: 130, moments: []string{whileCreating, whenUp, whileRemoving}},
		"SIGINT twice":         {end: interruptTwice, code: 130, leaves: true, moments: []string{whenUp}},
		"SIGTERM":              {end: send(syscall.SIGTERM), code: 143, moments: []string{whenUp}},
		"SIGKILL":              {end: send(syscall.SIGKILL), code: -1, moments: []string{whileCreating, whenUp, whileRemoving}},
		"exit without closing": {fate: "exit", code: 0, moments: []string{whenUp}},
		"panic in a goroutine": {fate: "panic", code: 2, moments: []string{whileCreating}},
		"SIGKILL of the watchdog, then SIGINT": {code: 130, moments: []string{whenUp}, end: func(t *testing.T, victim *exec.Cmd, watchdogs []int) {
			t.Helper()
			kill(t, watchdogs)
			send(syscall.SIGINT)(t, victim, nil)
		}},
		"SIGKILL of both, then the next run": {code: -1, moments: []string{whenUp}, end: func(t *testing.T, victim *exec.Cmd, watchdogs []int) {
			t.Helper()
			kill(t, watchdogs)
			send(syscall.SIGKILL)(t, victim, nil)
			_ = victim.Wait() // how it ended is looked at later
			next := exec.CommandContext(t.Context(), os.Args[0])
			next.Env = slices.Concat(victim.Env, []string{victimVariable + "=sweep"})
			said, err := next.CombinedOutput()
			require.NoError(t, err, "%s", said)
		}},
	}
}

func send(one syscall.Signal) func(*testing.T, *exec.Cmd, []int) {
	return func(t *testing.T, victim *exec.Cmd, _ []int) {
		t.Helper()
		require.NoError(t, victim.Process.Signal(one))
	}
}

// interruptTwice sends the second signal when the first has been heard: two
// that are pending at once count as one.
func interruptTwice(t *testing.T, victim *exec.Cmd, _ []int) {
	t.Helper()
	said, ok := victim.Stderr.(*os.File)
	require.True(t, ok)
	send(syscall.SIGINT)(t, victim, nil)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(said.Name())
		return err == nil && strings.Contains(string(text), "once more")
	}, 20*time.Second, 2*time.Millisecond)
	send(syscall.SIGINT)(t, victim, nil)
}

func kill(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
}

// Whatever ends a run, at whatever moment: nothing of it stays on the engine,
// no process, no file, and what is not its own is left alone.
func TestInterruptionsLeaveNothing(t *testing.T) {
	live(t)
	bystander := startBystander(t)
	t.Run("at", func(t *testing.T) {
		for name, how := range interruptions() {
			moments := how.moments
			if os.Getenv(allMoments) != "" {
				moments = []string{whileCreating, whenUp, whileRemoving}
			}
			for _, moment := range moments {
				t.Run(moment+"/"+name, func(t *testing.T) {
					t.Parallel()
					testInterruption(t, how, moment)
				})
			}
		}
	})
	assert.Len(t, remains(t, bystander), 2, "somebody else's container and volume")
}

func testInterruption(t *testing.T, how interruption, moment string) {
	temporary := t.TempDir()
	fate := how.fate
	if fate == "" {
		fate = "wait"
	}
	victim, project := startVictimAt(t, fate, moment, "TMPDIR="+temporary)
	var dogs []int
	if how.end != nil {
		dogs = watchdogs(t, victim.Process.Pid)
		how.end(t, victim, dogs)
	}
	_ = victim.Wait() // the exit code is looked at next
	assert.Equal(t, how.code, victim.ProcessState.ExitCode())
	if how.leaves && moment == whenUp {
		assert.NotEmpty(t, remains(t, project), "it ended at once, and the removal had not")
	}
	gone := func() bool {
		return len(remains(t, project)) == 0 && len(files(t, temporary)) == 0 && !anyRuns(t, dogs)
	}
	if !assert.Eventually(t, gone, 20*time.Second, 100*time.Millisecond) {
		t.Logf("left: %q, files %q, watchdog runs: %t", remains(t, project), files(t, temporary), anyRuns(t, dogs))
	}
}

func files(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	return found
}

// anyRuns says whether a process is alive: one that is dead may still wait for
// whoever inherited it to take notice.
func anyRuns(t *testing.T, pids []int) bool {
	t.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil && !strings.Contains(string(text), "State:\tZ") {
			return true
		}
	}
	return false
}

// startBystander starts what belongs to somebody else, as a compose project.
func startBystander(t *testing.T) string {
	t.Helper()
	const project = "stack-test-bystander"
	docker := func(arguments ...string) {
		t.Helper()
		said, err := exec.Command("docker", arguments...).CombinedOutput() //nolint:noctx // also at the end of the test
		require.NoError(t, err, "%s", said)
	}
	label := "com.docker.compose.project=" + project
	docker("volume", "create", "--label", label, project)
	docker("run", "--detach", "--name", project, "--label", label, "--stop-signal", "KILL", "--entrypoint", "sleep", "postgres:15.8", "infinity")
	t.Cleanup(func() {
		docker("rm", "--force", "--volumes", project)
		docker("volume", "rm", project)
	})
	return project
}
