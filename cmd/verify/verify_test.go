package main

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// demo is a module whose packages end in different ways.
var demo = filepath.Join("testdata", "demo")

// run verifies packages of the demo, as a pipeline outside GitHub does.
func run(t *testing.T, arguments ...string) (code int, terminal, folder string, err error) {
	t.Helper()
	folder = t.TempDir()
	t.Setenv("GITHUB_ACTIONS", "")
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	t.Setenv("GOFLAGS", "")
	t.Chdir(demo)
	var out bytes.Buffer
	code, err = verify(folder, arguments, &out)
	return code, out.String(), folder, err
}

// The exit code tells a failure from a harness that could not run.
func TestExitCode(t *testing.T) {
	for name, want := range map[string]struct {
		arguments []string
		code      int
		says      string
	}{
		"everything passed":           {[]string{"./passes"}, 0, "1 passed, 0 failed"},
		"a test failed":               {[]string{"./passes", "./fails"}, 1, "on purpose"},
		"a test panicked":             {[]string{"./panics"}, 1, "panic: on purpose"},
		"a failure and no build":      {[]string{"./fails", "./unbuilt"}, 1, "thereIsNoSuchThing"},
		"the harness failed":          {[]string{"./harness"}, 2, "ERROR TestPair slot/used"},
		"there is no engine":          {[]string{"./engineless"}, 2, "no engine answers"},
		"arguments are refused":       {[]string{"./passes", "./refuses"}, 2, "no such recipe"},
		"a package does not build":    {[]string{"./passes", "./unbuilt"}, 2, "undefined: thereIsNoSuchThing"},
		"there is no such package":    {[]string{"./nowhere"}, 2, "nowhere"},
		"nothing was executed":        {[]string{"-run", "NoSuchTest", "./passes"}, 2, "nothing was executed"},
		"an option has a wrong value": {[]string{"-count", "many", "./passes"}, 2, "invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			code, terminal, folder, err := run(t, want.arguments...)
			assert.Equal(t, want.code, code, "%v\n%s", err, terminal)
			assert.Contains(t, terminal, want.says)
			assert.Contains(t, terminal, "report: "+filepath.Join(folder, "report.html"))
			for _, one := range delivery.Files() {
				assert.FileExists(t, filepath.Join(folder, one))
			}
		})
	}
}

// What tests keep is beside the reports, and nothing is where they keep nothing.
func TestArtifactsAreKept(t *testing.T) {
	_, _, folder, err := run(t, "./keeps")
	require.NoError(t, err)
	found := ""
	require.NoError(t, filepath.WalkDir(filepath.Join(folder, "_artifacts"), func(path string, _ fs.DirEntry, err error) error {
		found += filepath.Base(path) + " "
		return err
	}))
	assert.Contains(t, found, "server.log")
	t.Chdir(filepath.Join("..", ".."))
	_, _, folder, err = run(t, "./passes")
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(folder, "_artifacts"))
}

func TestGitHubGetsSummaryAndAnnotations(t *testing.T) {
	folder := t.TempDir()
	summary := filepath.Join(folder, "step-summary.md")
	require.NoError(t, os.WriteFile(summary, []byte("what stood there\n"), 0o600))
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", summary)
	t.Chdir(demo)
	var out bytes.Buffer
	code, err := verify(folder, []string{"./fails"}, &out)
	require.NoError(t, err)
	assert.Equal(t, 1, code)
	assert.Equal(t, 2, strings.Count(out.String(), "::stop-commands::"), "progress and summary")
	assert.Contains(t, out.String(), "\n::error file=example.org/demo/fails/fails_test.go,line=5,title=fail TestFails::")
	text, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "what stood there\n## "), "%s", text)
}

// brokenPipe is a terminal whose reader has gone away.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestReportsAreWrittenWhenNobodyReadsTheTerminal(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	t.Chdir(demo)
	code, err := verify(folder, []string{"./passes"}, brokenPipe{})
	require.ErrorIs(t, err, syscall.EPIPE)
	assert.Equal(t, 2, code)
	text, err := os.ReadFile(filepath.Join(folder, "results.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"outcome": "passed"`)
}

func TestNoOutputHoldsAPassword(t *testing.T) {
	code, terminal, folder, err := run(t, "./secret")
	require.NoError(t, err)
	assert.Equal(t, 1, code)
	assert.NotContains(t, terminal, "hunter2")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, files, len(delivery.Files())+1)
	assert.Contains(t, terminal, "password=*** dbname=postgres")
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		require.NoError(t, err)
		assert.NotContains(t, string(text), "hunter2", file.Name())
	}
}

// What ends the go command otherwise than its tests do is no success, and its
// exit code is that of the outcome.
func TestGoCommandThatFailsByItself(t *testing.T) {
	const passed = `{"Action":"start","Package":"p"}\n{"Action":"run","Package":"p","Test":"TestA"}\n{"Action":"pass","Package":"p","Test":"TestA"}\n`
	const failed = `{"Action":"run","Package":"p","Test":"TestB"}\n{"Action":"fail","Package":"p","Test":"TestB"}\n`
	const engineless = `{"Action":"attr","Package":"p","Test":"TestC","Key":"harness.error","Value":"no engine"}\n{"Action":"fail","Package":"p","Test":"TestC"}\n`
	for name, one := range map[string]struct {
		script  string
		code    int
		outcome string
	}{
		"it fails although no test did":    {"printf '" + passed + `{"Action":"pass","Package":"p"}\n` + "'; exit 3", 2, "broken"},
		"it is killed after a test passed": {"printf '" + passed + "'; kill -9 $$", 2, "interrupted"},
		"it is killed, and had no engine":  {"printf '" + passed + engineless + "'; kill -9 $$", 2, "interrupted"},
		"it is killed after a test failed": {"printf '" + passed + failed + "'; kill -9 $$", 1, "interrupted"},
		"it passes":                        {"printf '" + passed + `{"Action":"pass","Package":"p"}\n` + "'", 0, "passed"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(path, "go"), []byte("#!/bin/sh\n"+one.script+"\n"), 0o700))
			t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
			code, _, folder, _ := run(t)
			assert.Equal(t, one.code, code)
			text, err := os.ReadFile(filepath.Join(folder, "results.json"))
			require.NoError(t, err)
			assert.Contains(t, string(text), `"outcome": "`+one.outcome+`"`)
		})
	}
}

// A recorded stream makes the same report as the run did.
func TestReportFromRecordedEvents(t *testing.T) {
	code, _, folder, err := run(t, "./fails")
	require.NoError(t, err)
	again := t.TempDir()
	var out bytes.Buffer
	codeAgain, err := replay(filepath.Join(folder, "events.jsonl"), again, &out)
	require.NoError(t, err)
	assert.Equal(t, code, codeAgain)
	for _, one := range delivery.Files() {
		want, err := os.ReadFile(filepath.Join(folder, one))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(again, one))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), one)
	}
}

// An interrupted run says what it found until then, and by which signal it ended.
func TestInterruptedRunReports(t *testing.T) {
	program := filepath.Join(t.TempDir(), "verify")
	build := []string{"build", "-o", program}
	if testing.CoverMode() != "" { // what the children execute counts
		build = append(build, "-cover", "-coverpkg=../../...")
	}
	built, err := exec.CommandContext(t.Context(), "go", append(build, ".")...).CombinedOutput()
	require.NoError(t, err, "%s", built)
	for name, one := range map[string]struct {
		environment string
		signals     []syscall.Signal
		code        int
	}{
		"SIGINT":  {"", []syscall.Signal{syscall.SIGINT}, 128 + 2},
		"SIGTERM": {"", []syscall.Signal{syscall.SIGTERM}, 128 + 15},
		"SIGHUP":  {"", []syscall.Signal{syscall.SIGHUP}, 128 + 1},
		"a test that hangs on is killed by the third": {
			// In the order in which the system delivers signals that wait.
			"STUBBORN=1", []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM}, 128 + 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			command := exec.CommandContext(t.Context(), program, "-out", folder, "--", "./hangs")
			command.Dir = demo
			command.Env = append(os.Environ(), one.environment, "GITHUB_ACTIONS=", "GITHUB_STEP_SUMMARY=")
			stdout, err := command.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, command.Start())
			lines := bufio.NewScanner(stdout)
			for lines.Scan() && !strings.Contains(lines.Text(), "waiting") {
			}
			for _, each := range one.signals {
				require.NoError(t, command.Process.Signal(each))
			}
			rest, err := io.ReadAll(stdout)
			require.NoError(t, err)
			var exit *exec.ExitError
			require.ErrorAs(t, command.Wait(), &exit)
			assert.Equal(t, one.code, exit.ExitCode(), "%s", rest)
			text, err := os.ReadFile(filepath.Join(folder, "results.json"))
			require.NoError(t, err)
			assert.Contains(t, string(text), `"outcome": "interrupted"`)
			assert.Contains(t, string(text), `"test": "TestHangs/finished"`)
			assert.Contains(t, string(text), `"outcome": "cut off"`)
			for _, file := range delivery.Files() {
				assert.FileExists(t, filepath.Join(folder, file))
			}
		})
	}
}
