package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ExampleWriteSummary() {
	run := &report.Run{}
	for _, line := range []string{
		`{"Action":"run","Package":"demo","Test":"TestPair"}`,
		`{"Action":"attr","Package":"demo","Test":"TestPair","Key":"check.id","Value":"slot/used"}`,
		`{"Action":"attr","Package":"demo","Test":"TestPair","Key":"check.verdict","Value":"pass"}`,
		`{"Action":"pass","Package":"demo","Test":"TestPair","Elapsed":0.01}`,
		`{"Action":"pass","Package":"demo","Elapsed":0.1}`,
	} {
		event, err := report.ParseEvent([]byte(line))
		if err != nil {
			fmt.Println(err)
			return
		}
		run.Add(event)
	}
	passed, failed, skipped := run.Count()
	fmt.Println(passed, failed, skipped, run.Green())
	// Output: 1 0 0 true
}

// read feeds a recorded stream to a run and a progress.
func read(t *testing.T, name string, progress *report.Progress) *report.Run {
	t.Helper()
	stream, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	require.NoError(t, err)
	run := &report.Run{}
	for line := range bytes.Lines(stream) {
		event, err := report.ParseEvent(line)
		if err != nil {
			run.Note(string(bytes.TrimSpace(line)))
			continue
		}
		run.Add(event)
		if progress != nil {
			require.NoError(t, progress.Add(event))
		}
	}
	return run
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestProgress(t *testing.T) {
	for name, terminal := range map[string]bool{"plain": false, "terminal": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			progress := report.NewProgress(&out, terminal, 60)
			read(t, "mixed", progress)
			require.NoError(t, progress.Close())
			golden(t, "mixed."+name, out.Bytes())
		})
	}
}

func TestGreen(t *testing.T) {
	for name, want := range map[string]bool{"mixed": false, "broken-build": false, "cut-off": false, "nothing": false, "good": true} {
		assert.Equal(t, want, read(t, name, nil).Green(), name)
	}
}

func TestSlashInNameOfSubtestMakesNoTest(t *testing.T) {
	run := &report.Run{}
	for _, name := range []string{"TestA", "TestA/one/two"} {
		run.Add(report.Event{Action: "run", Package: "p", Test: name})
	}
	for _, name := range []string{"TestA/one/two", "TestA"} {
		run.Add(report.Event{Action: "pass", Package: "p", Test: name})
	}
	passed, failed, skipped := run.Count()
	assert.Equal(t, []int{1, 0, 0}, []int{passed, failed, skipped}, "only the subtest counts")
}

func TestParseEventRefusesWhatIsNone(t *testing.T) {
	for _, line := range []string{"", "FAIL", "{}", `{"Action":1}`} {
		_, err := report.ParseEvent([]byte(line))
		require.ErrorContains(t, err, "parse test event", line)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"Action":"attr","Package":"p","Test":"T/a/b","Key":"check.id","Value":"slot/used"}`))
	f.Add([]byte(`{"Action":"output","Package":"p","Output":"x"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		event, err := report.ParseEvent(line)
		if err != nil {
			return
		}
		run := &report.Run{}
		run.Add(event)
		require.NoError(t, report.WriteSummary(&bytes.Buffer{}, run.Results()))
	})
}

// What a parent says itself is told beside its red subtest, and counted.
func TestWordsOfAParentAreNotLost(t *testing.T) {
	for name, test := range map[string]struct {
		said, outcome string
		failures      int
	}{
		"an error of its own":           {"    pair_test.go:85: the run left something behind: [volume]\n", "fail", 1},
		"an error before it was cut":    {"    pair_test.go:85: the run left something behind: [volume]\n", "", 1},
		"a step":                        {"    Container db: Created\n", "fail", 0},
		"nothing":                       {"", "fail", 0},
		"a log, when it passed at last": {"    pair_test.go:85: tried again\n", "pass", 0},
	} {
		t.Run(name, func(t *testing.T) {
			run := &report.Run{}
			for _, event := range []report.Event{
				{Action: "run", Test: "TestPair"},
				{Action: "attr", Test: "TestPair", Key: "provenance.kept", Value: "docker compose -p pair-1 logs"},
				{Action: "run", Test: "TestPair/slot/used"},
				{Action: "attr", Test: "TestPair/slot/used", Key: "check.id", Value: "slot/used"},
				{Action: "attr", Test: "TestPair/slot/used", Key: "check.verdict", Value: "fail"},
				{Action: "fail", Test: "TestPair/slot/used"},
				{Action: "output", Test: "TestPair", Output: test.said},
				{Action: test.outcome, Test: "TestPair"},
				{Action: "fail"},
			} {
				event.Package = "p"
				run.Add(event)
			}
			target := run.Results().Targets[0]
			_, failed, _ := run.Count()
			assert.Equal(t, 1+test.failures, failed)
			assert.Len(t, append(target.Failures, target.Unfinished...), test.failures)
			summary := written(t, "summary", run)
			assert.Equal(t, test.failures == 1, strings.Contains(summary, "the run left something behind"), summary)
			assert.Contains(t, summary, "kept: docker compose -p pair-1 logs")
		})
	}
}

// A test that runs more than once, as -count asks for, keeps every outcome.
func TestRepeatedTestKeepsItsFailure(t *testing.T) {
	run := &report.Run{}
	for _, outcome := range []string{"pass", "fail", "pass"} {
		run.Add(report.Event{Action: "run", Package: "p", Test: "TestA"})
		run.Add(report.Event{Action: outcome, Package: "p", Test: "TestA"})
	}
	run.Add(report.Event{Action: "fail", Package: "p"})
	passed, failed, skipped := run.Count()
	assert.Equal(t, []int{2, 1, 0}, []int{passed, failed, skipped})
	assert.Equal(t, report.Failed, run.Results().Outcome)
	assert.Len(t, run.Results().Tests, 3)
}

// A difference begins like a frame of the testing package.
func TestHeadOfADifferenceIsShown(t *testing.T) {
	run := &report.Run{}
	run.Add(report.Event{Action: "run", Package: "p", Test: "TestA"})
	for _, line := range []string{
		"=== RUN   TestA\n", "    a_test.go:9: \n", "        \t            \t--- Expected\n", "        \t            \t+++ Actual\n",
		"=== the table ===\n", "=== NAME  TestA\n", "--- FAIL: TestA (0.00s)\n",
	} {
		run.Add(report.Event{Action: "output", Package: "p", Test: "TestA", Output: line})
	}
	run.Add(report.Event{Action: "fail", Package: "p", Test: "TestA"})
	output := run.Results().Tests[0].Output
	for _, part := range []string{"--- Expected", "+++ Actual", "=== the table"} {
		assert.Contains(t, output, part)
	}
	for _, part := range []string{"=== RUN", "=== NAME", "--- FAIL"} {
		assert.NotContains(t, output, part)
	}
}

// Many tests that are skipped alike are one line.
func TestSkipsOfOneReasonAreOneLine(t *testing.T) {
	run := &report.Run{}
	for _, skipped := range [][3]string{
		{"p", "TestA", "slow"}, {"p", "TestB", "slow"}, {"q", "TestA", "slow"}, {"p", "TestC", "no engine"}, {"p", "TestD", "slow"},
	} {
		run.Add(report.Event{Action: "run", Package: skipped[0], Test: skipped[1]})
		run.Add(report.Event{Action: "output", Package: skipped[0], Test: skipped[1], Output: "    a_test.go:7: " + skipped[2] + "\n"})
		run.Add(report.Event{Action: "skip", Package: skipped[0], Test: skipped[1]})
	}
	summary := written(t, "summary", run)
	assert.Contains(t, summary, "skipped 3 tests of p: a_test.go:7: slow\nskipped TestA: a_test.go:7: slow\nskipped TestC: a_test.go:7: no engine\n")
}

// Why a package does not build is told wherever its failure is.
func TestErrorsOfTheCompilerReachEveryFormat(t *testing.T) {
	for format := range formats {
		text := written(t, format, read(t, "broken-build", nil))
		holds(t, text, "a.go:1:1: syntax error", format)
	}
	for _, format := range []string{"annotations", "markdown"} {
		green := read(t, "good", nil)
		green.Note("go: downloading example.org/pair v1.0.0")
		hides(t, written(t, format, green), "downloading", "it is nothing wrong: "+format)
	}
}
