package attach_test

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRunningPair attaches to one pair in all ways: nothing that one run
// leaves may go unnoticed by the next.
func TestRunningPair(t *testing.T) {
	running := start(t, openEngine(t), "attach")
	built := buildCommand(t)
	t.Run("a superuser runs the core profile within 10 s", func(t *testing.T) { testSuperuser(t, running, built) })
	t.Run("a read-only run creates and changes nothing", func(t *testing.T) { testReadOnly(t, running) })
	t.Run("an ordinary role runs what it may", func(t *testing.T) { testOrdinaryRoles(t, running, built) })
	t.Run("an interrupted run leaves nothing", func(t *testing.T) { testInterruption(t, running, built) })
	t.Run("what a check leaves is found by its name", func(t *testing.T) { testSweep(t, running) })
	t.Run("a cluster is adopted as it is", func(t *testing.T) { testAdoption(t, running, built) })
	t.Run("libpq's files and environment count", func(t *testing.T) { testLibpq(t, running, built) })
	t.Run("bad input is one error", func(t *testing.T) { testBadInput(t, running, built) })
}

// coreLimit is what people wait for.
const coreLimit = 10 * time.Second

func testSuperuser(t *testing.T, running cluster, built command) {
	before := running.objects(t)
	began := time.Now()
	ended := built.run(t, append(running.servers(t, administrator), "-replicator-user", replicator)...)
	took := time.Since(began)
	assert.Equal(t, delivery.ExitPassed, ended.code, "%s%s", ended.stdout, ended.stderr)
	assert.Contains(t, ended.stdout, "attached is right (")
	assert.Contains(t, ended.stdout, "report: "+filepath.Join(ended.folder, "report.html"))
	for _, name := range append(delivery.Files(), delivery.EventsFile) {
		assert.FileExists(t, filepath.Join(ended.folder, name))
	}
	assert.Equal(t, before, running.objects(t))
	t.Logf("the core profile took %s", took.Round(time.Millisecond))
	if busy(t) {
		t.Logf("others use this machine: the limit of %s is not held against the run", coreLimit)
		return
	}
	assert.LessOrEqual(t, took, coreLimit)
}

// busy says whether more is waiting to run than there are processors.
func busy(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if os.IsNotExist(err) {
		return false
	}
	require.NoError(t, err)
	load, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	require.NoError(t, err)
	return load > float64(runtime.NumCPU())
}

func testOrdinaryRoles(t *testing.T, running cluster, built command) {
	before := running.objects(t)
	executed := map[string]int{}
	for _, role := range []string{plain, monitor, administrator} {
		ended := built.run(t, append(running.servers(t, role), "-profile", "all", "-deviations", "../../docker/deviations.yml")...)
		assert.Equal(t, delivery.ExitPassed, ended.code, "%s: %s%s", role, ended.stdout, ended.stderr)
		assert.Equal(t, before, running.objects(t), role)
		executed[role] = strings.Count(read(t, filepath.Join(ended.folder, delivery.EventsFile)), `"Key":"check.verdict"`) -
			strings.Count(ended.stdout, "\nskipped attached ")
		if role == plain {
			assert.Contains(t, ended.stdout, "skipped attached lag/lsn-order: needs the rights of pg_read_all_stats")
			assert.Contains(t, ended.stdout, "skipped attached propagation/databases: needs superuser on both nodes")
		}
	}
	assert.Greater(t, executed[plain], 50)
	assert.Greater(t, executed[monitor], executed[plain])
	assert.Greater(t, executed[administrator], executed[monitor])
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func testInterruption(t *testing.T, running cluster, built command) {
	before := running.objects(t)
	for _, after := range []string{"startup", "slot/physical-and-permanent", "standby/refuses-insert", "standby/drop-role-keeps-sessions", "propagation/sequences", "propagation/vacuum"} {
		t.Run("after "+after, func(t *testing.T) {
			run, folder := built.prepare(t, append(running.servers(t, administrator), "-replicator-user", replicator)...)
			stdout, err := run.StdoutPipe()
			require.NoError(t, err)
			var said, errors bytes.Buffer
			run.Stderr = &errors
			require.NoError(t, run.Start())
			lines := bufio.NewScanner(stdout)
			for lines.Scan() {
				said.WriteString(lines.Text() + "\n")
				if strings.Contains(lines.Text(), "Target/"+after) {
					require.NoError(t, run.Process.Signal(syscall.SIGINT))
					break
				}
			}
			for lines.Scan() {
				said.WriteString(lines.Text() + "\n")
			}
			ended := conclude(t, run.Wait(), run, &said, &errors, folder)
			assert.Equal(t, delivery.ExitSignal+int(syscall.SIGINT), ended.code, "%s%s", ended.stdout, ended.stderr)
			assert.Contains(t, ended.stdout, "interrupted: by interrupt")
			assert.Contains(t, ended.stderr, "interrupted by interrupt: the results are incomplete")
			assert.NotContains(t, ended.stderr, conformance.ErrLeftBehind.Error())
			assert.Contains(t, read(t, filepath.Join(folder, "results.json")), `"outcome": "interrupted"`)
			assert.Equal(t, before, running.objects(t))
		})
	}
}

func testAdoption(t *testing.T, running cluster, built command) {
	list := filepath.Join(t.TempDir(), "deviations.yml")
	whole := append(running.servers(t, administrator), "-profile", "all", "-checks", "settings,access/tls")
	ended := built.run(t, append(whole, "-write-deviations", list)...)
	assert.Equal(t, delivery.ExitFailed, ended.code, "%s%s", ended.stdout, ended.stderr)
	assert.Contains(t, read(t, list), "check: access/tls\n")
	ended = built.run(t, append(whole, "-deviations", list)...)
	assert.Equal(t, delivery.ExitPassed, ended.code, "%s%s", ended.stdout, ended.stderr)
	assert.Contains(t, ended.stdout, "DEVIATION attached access/tls")
}

func testLibpq(t *testing.T, running cluster, built command) {
	folder := t.TempDir()
	services, passwords := "", ""
	for _, node := range running.Nodes() {
		config, err := node.Config(t.Context())
		require.NoError(t, err)
		port := strconv.Itoa(int(config.Port))
		services += "[" + node.Name() + "]\nhost=" + config.Host + "\nport=" + port + "\ndbname=" + config.Database + "\nsslmode=disable\n"
		passwords += strings.Join([]string{config.Host, port, "*", plain, passwordOf(plain)}, ":") + "\n"
	}
	for name, text := range map[string]string{"services": services, "passwords": passwords} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	run, reports := built.prepare(t, "-standby-dsn", "service="+running.Standby().Name(), "-checks", "propagation/sequences")
	run.Env = append(run.Env, "PGSERVICEFILE="+filepath.Join(folder, "services"), "PGPASSFILE="+filepath.Join(folder, "passwords"),
		"PGSERVICE="+running.Primary.Name(), "PGUSER="+plain)
	var stdout, stderr bytes.Buffer
	run.Stdout, run.Stderr = &stdout, &stderr
	ended := conclude(t, run.Run(), run, &stdout, &stderr, reports)
	assert.Equal(t, delivery.ExitPassed, ended.code, "%s%s", ended.stdout, ended.stderr)
	assert.Contains(t, ended.stdout, "1 passed, 0 failed, 0 skipped")
}
