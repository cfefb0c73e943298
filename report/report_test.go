package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
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
