package stack_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEngineRestartedInMidRun restarts an engine of the test's own: nobody
// else's containers are on it.
func TestEngineRestartedInMidRun(t *testing.T) {
	engine := startOwnEngine(t)
	for _, test := range []struct {
		name string
		ends syscall.Signal // of the engine
		died bool           // the run, while there was no engine
	}{
		{"restarted, and the run ends later", syscall.SIGTERM, false},
		{"killed, and the run with its watchdog too: the next one removes what is left", syscall.SIGKILL, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			process, project := startVictim(t, "wait")
			dogs := watchdogs(t, process.Process.Pid)
			require.NotEmpty(t, remains(t, project))
			engine.end(t, test.ends)
			if test.died {
				require.NoError(t, process.Process.Kill())
				_ = process.Wait() // it was killed
				kill(t, dogs)
			}
			engine.start(t)
			if test.died {
				require.NotEmpty(t, remains(t, project), "nobody could remove it")
				open(t)
			} else {
				require.NoError(t, process.Process.Signal(syscall.SIGTERM))
				_ = process.Wait() // its exit code is looked at
				assert.Equal(t, 128+int(syscall.SIGTERM), process.ProcessState.ExitCode())
			}
			assert.Empty(t, remains(t, project))
		})
	}
}

// ownEngine is an engine in a network namespace of its own. While it is there
// DOCKER_HOST names it.
type ownEngine struct {
	folder, namespace string
	process           *exec.Cmd
}

func startOwnEngine(t *testing.T) *ownEngine {
	t.Helper()
	live(t)
	if os.Getuid() != 0 {
		t.Skip("an engine of the test's own needs root")
	}
	for _, tool := range []string{"dockerd", "ip", "nsenter", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("an engine of the test's own needs %s", tool)
		}
	}
	engine := &ownEngine{folder: t.TempDir(), namespace: fmt.Sprintf("pms-restart-%d", os.Getpid())}
	run(t, "ip", "netns", "add", engine.namespace)
	t.Cleanup(func() {
		if engine.process == nil { // after a failure: as it starts it ends what its predecessor ran
			engine.start(t)
		}
		engine.end(t, syscall.SIGTERM)
		run(t, "ip", "netns", "del", engine.namespace)
		// A cgroup is a folder, which goes when nothing is left in it.
		left, err := filepath.Glob("/sys/fs/cgroup/*/" + engine.namespace)
		require.NoError(t, err)
		for _, folder := range append(left, "/sys/fs/cgroup/"+engine.namespace) {
			_ = os.Remove(folder) // where the engine has made none
		}
	})
	run(t, "ip", "-n", engine.namespace, "link", "set", "lo", "up") // where ports are published
	image := filepath.Join(engine.folder, "image.tar")
	run(t, "docker", "save", "postgres:15.8", "--output", image)
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(engine.folder, "docker.sock"))
	engine.start(t)
	run(t, "docker", "load", "--quiet", "--input", image)
	require.NoError(t, os.Remove(image))
	return engine
}

// start ends when the engine answers.
func (e *ownEngine) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(e.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer func() { assert.NoError(t, log.Close()) }()
	// A zombie counts as running, and nobody may be there to reap this one.
	_ = os.Remove(filepath.Join(e.folder, "exec", "containerd", "containerd.pid")) // no engine was killed before
	// Only the network is apart: an engine looks for its cgroups in /sys.
	e.process = exec.Command("nsenter", "--net=/run/netns/"+e.namespace, "unshare", "--mount", "dockerd", //nolint:noctx // the test ends it
		"--data-root", filepath.Join(e.folder, "data"), "--exec-root", filepath.Join(e.folder, "exec"),
		"--pidfile", filepath.Join(e.folder, "pid"), "--host", os.Getenv("DOCKER_HOST"), "--cgroup-parent", "/"+e.namespace)
	e.process.Stdout, e.process.Stderr = log, log
	require.NoError(t, e.process.Start())
	answers := func() bool {
		return exec.CommandContext(context.WithoutCancel(t.Context()), "docker", "version").Run() == nil
	}
	if !assert.Eventually(t, answers, time.Minute, 100*time.Millisecond, "the engine answers") {
		said, err := os.ReadFile(log.Name())
		t.Fatalf("%s (%v)", said, err)
	}
}

func (e *ownEngine) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, e.process.Process.Signal(signal))
	_ = e.process.Wait() // it was ended
	e.process = nil
}

func run(t *testing.T, command ...string) {
	t.Helper()
	const limit = 2 * time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	said, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	require.NoError(t, err, "%v: %s", command, said)
}
