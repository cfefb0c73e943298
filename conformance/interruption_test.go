package conformance_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// allInterruptions, set, ends the suite at more moments.
const allInterruptions = "CONFORMANCE_INTERRUPTIONS"

// TestInterruptedSuite ends a run of this very suite in the middle: nothing of
// it stays, and what it has found until then can be reported.
func TestInterruptedSuite(t *testing.T) {
	endsRuns(t)
	const (
		started = "Container .*postgres_master-1: Started"
		checks  = "=== RUN .*/startup/streams-on-both-ends"
		removal = "Container .*: Stopping"
	)
	for name, how := range map[string]struct {
		at     string // the line of the suite's output at which it is ended
		signal syscall.Signal
		flags  []string
		code   int  // as package exec tells it
		passed int  // checks by then, at least
		more   bool // only with allInterruptions
	}{
		"SIGINT during the start":    {at: started, signal: syscall.SIGINT, code: 130, more: true},
		"SIGINT during the checks":   {at: checks, signal: syscall.SIGINT, code: 130, passed: 1},
		"SIGTERM during the removal": {at: removal, signal: syscall.SIGTERM, code: 143, passed: 1, more: true},
		"SIGKILL during the checks":  {at: checks, signal: syscall.SIGKILL, code: -1, passed: 1},
		"-timeout":                   {flags: []string{"-test.timeout", "5s"}, code: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if how.more && os.Getenv(allInterruptions) == "" {
				t.Skipf("runs with %s=all", allInterruptions)
			}
			flags := slices.Concat(how.flags, []string{"-test.v=test2json", "-test.run", "^TestRecipe$", "-checks", "startup,teardown"})
			suite := exec.CommandContext(t.Context(), os.Args[0], flags...)
			suite.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "CONFORMANCE_PROFILE=", "CONFORMANCE_CHECKS=")
			stdout, err := suite.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, suite.Start())
			said := follow(t, stdout, how.at, func() { require.NoError(t, suite.Process.Signal(how.signal)) })
			_ = suite.Wait() // the exit code is looked at next
			assert.Equal(t, how.code, suite.ProcessState.ExitCode(), "%s", said)

			found := projectPattern.FindSubmatch(said)
			require.NotNil(t, found, "%s", said)
			require.Eventually(t, func() bool { return projectIsGone(t, string(found[0])) }, 30*time.Second, 200*time.Millisecond)

			results := reported(t, said)
			assert.Equal(t, report.Interrupted, results.Outcome, "it does not pass for a whole run")
			assert.GreaterOrEqual(t, results.Passed, how.passed)
		})
	}
}

// TestInterruptedSoak ends a soak by Ctrl-C: its table comes all the same.
func TestInterruptedSoak(t *testing.T) {
	endsRuns(t)
	flags := []string{"-test.v", "-test.run", "^TestSoak$", "-soak", "1h", "-profile", "core", "-checks", "startup/roles-differ"}
	suite := exec.CommandContext(t.Context(), os.Args[0], flags...)
	suite.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "CONFORMANCE_PROFILE=", "CONFORMANCE_CHECKS=")
	stdout, err := suite.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, suite.Start())
	said := follow(t, stdout, "=== RUN .*round-2/", func() { require.NoError(t, suite.Process.Signal(syscall.SIGINT)) })
	_ = suite.Wait() // the exit code is looked at next
	assert.Equal(t, 130, suite.ProcessState.ExitCode(), "%s", said)
	assert.Regexp(t, `(?m)^soak: 1 rounds in .*, SEED=\d+$`, string(said))
	for _, project := range projectPattern.FindAll(said, -1) {
		require.Eventually(t, func() bool { return projectIsGone(t, string(project)) }, 30*time.Second, 200*time.Millisecond)
	}
}

// endsRuns skips a test that ends runs of this suite where none are to start.
func endsRuns(t *testing.T) {
	t.Helper()
	onlyShipped(t)
	if testing.Short() {
		t.Skip("starts containers")
	}
	if *profile == "usual" {
		t.Skip("the profile usual looks at servers; the profiles core and all end runs, too")
	}
}

var projectPattern = regexp.MustCompile(`pms-recipe-[a-z0-9]{6}`)

// follow reads to the end. At the first line that fits it calls back.
func follow(t *testing.T, from io.Reader, pattern string, at func()) []byte {
	t.Helper()
	moment := regexp.MustCompile(pattern)
	var said bytes.Buffer
	lines := bufio.NewScanner(from)
	for met := pattern == ""; lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if !met && moment.MatchString(lines.Text()) {
			met = true
			at()
		}
	}
	require.NoError(t, lines.Err())
	return said.Bytes()
}

func projectIsGone(t *testing.T, project string) bool {
	t.Helper()
	for _, list := range []string{"container ls --all", "network ls", "volume ls"} {
		arguments := append(strings.Fields(list), "--quiet", "--filter", "label=com.docker.compose.project="+project)
		found, err := exec.CommandContext(t.Context(), "docker", arguments...).Output()
		require.NoError(t, err)
		if len(found) > 0 {
			return false
		}
	}
	return true
}

// reported makes a report of what a test binary has printed.
func reported(t *testing.T, said []byte) *report.Results {
	t.Helper()
	convert := exec.CommandContext(t.Context(), "go", "tool", "test2json", "-p", "conformance")
	convert.Stdin = bytes.NewReader(said)
	events, err := convert.Output()
	require.NoError(t, err)
	run := &report.Run{}
	for line := range bytes.Lines(events) {
		event, err := report.ParseEvent(line)
		require.NoError(t, err)
		run.Add(event)
	}
	results := run.Results()
	require.NoError(t, report.WriteHTML(io.Discard, results))
	return results
}
