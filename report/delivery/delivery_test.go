package delivery_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// One format that cannot be written takes no other along.
func TestOtherFormatsAreWrittenWhenOneCannotBe(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	require.NoError(t, os.Mkdir(filepath.Join(folder, "junit.xml"), 0o700))
	err := delivery.WriteAll(folder, (&report.Run{}).Results())
	require.ErrorContains(t, err, "junit.xml")
	for _, one := range delivery.Files() {
		if one != "junit.xml" {
			assert.FileExists(t, filepath.Join(folder, one))
		}
	}
	code, _ := delivery.ExitCode(&report.Results{Outcome: report.Passed}, 0, err)
	assert.Equal(t, 2, code, "a report that is missing is no success")
	code, _ = delivery.ExitCode(&report.Results{Outcome: report.Failed}, 0, err)
	assert.Equal(t, 1, code, "what failed is told all the same")
}

// What a full disk cuts off is taken away, and no other format with it.
func TestHalfAReportIsNone(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	require.NoError(t, os.Symlink(full, filepath.Join(folder, "report.html")))
	err := delivery.WriteAll(folder, (&report.Run{}).Results())
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "report.html")
	assert.NoFileExists(t, filepath.Join(folder, "report.html"))
	assert.FileExists(t, filepath.Join(folder, "results.json"))
	_, err = os.Stat(full)
	require.NoError(t, err)
}

func TestReportsOfEarlierRunAreTakenAway(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "report.html"), nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "_artifacts", "1"), 0o700))
	require.NoError(t, delivery.Prepare(folder))
	assert.NoFileExists(t, filepath.Join(folder, "report.html"))
	assert.NoDirExists(t, filepath.Join(folder, "_artifacts"))
}

// Whoever reads the code reads what the outcome says.
func TestExitCodeOfARunThatWasCutOff(t *testing.T) {
	for name, test := range map[string]struct {
		verdict string
		signal  syscall.Signal
		code    int
	}{
		"by a signal, after a failure":            {"fail", syscall.SIGTERM, 128 + 15},
		"without a signal, after a failure":       {"fail", 0, 1},
		"without a signal, when nothing failed":   {"pass", 0, 2},
		"without a signal, after the harness did": {"error", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			run := &report.Run{}
			const check, next = "TestPair/slot/used", "TestPair/slot/next"
			outcome := "fail"
			if test.verdict == "pass" {
				outcome = "pass"
			}
			for _, event := range []report.Event{
				{Action: "run", Test: "TestPair"},
				{Action: "run", Test: check},
				{Action: "attr", Test: check, Key: "check.id", Value: "slot/used"},
				{Action: "attr", Test: check, Key: "check.verdict", Value: test.verdict},
				{Action: outcome, Test: check},
				{Action: "run", Test: next},
				{Action: "attr", Test: next, Key: "check.id", Value: "slot/next"},
				{Action: "output"},
			} {
				event.Package = "p"
				run.Add(event)
			}
			results := run.Results()
			assert.Equal(t, report.Interrupted, results.Outcome)
			code, _ := delivery.ExitCode(results, test.signal, nil)
			assert.Equal(t, test.code, code)
		})
	}
}
