package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// formats are all writers, by the extension of their golden files.
var formats = map[string]func(io.Writer, *report.Results) error{
	"summary":     report.WriteSummary,
	"results":     report.WriteResults,
	"junit":       report.WriteJUnit,
	"markdown":    report.WriteMarkdown,
	"annotations": report.WriteAnnotations,
	"html":        report.WriteHTML,
}

// streams are the recorded streams, see testdata.
var streams = []string{"pair", "mixed", "hostile", "broken-build", "cut-off", "nothing", "good"}

// written gives one format of a run.
func written(t *testing.T, format string, run *report.Run) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, formats[format](&out, run.Results()))
	return out.String()
}

// ours is what of the page does not depend on the run.
var ours = regexp.MustCompile(`(?s)(<style>).*?(</style>)|(<script>).*?(</script>)|sha256-[^']*`)

func TestEveryFormat(t *testing.T) {
	for _, name := range streams {
		for format := range formats {
			t.Run(name+"."+format, func(t *testing.T) {
				text := written(t, format, read(t, name, nil))
				if format == "html" {
					text = ours.ReplaceAllString(text, "$1$2$3$4")
				}
				golden(t, name+"."+format, []byte(text))
			})
		}
	}
}

// What was found before an interruption stands in every format.
func TestInterruptedRun(t *testing.T) {
	run := cut(t, "pair", "TestRecipeBroken/restart/primary-comes-back")
	run.Interrupted = "by interrupt"
	results := run.Results()
	assert.Equal(t, report.Interrupted, results.Outcome)
	for format := range formats {
		t.Run(format, func(t *testing.T) {
			text := written(t, format, run)
			holds(t, text, "lag/catches-up", "a failure that was found in time")
			if format != "annotations" && format != "junit" {
				holds(t, text, "by interrupt", "why it ended")
			}
			holds(t, strings.ReplaceAll(text, "&#45;", "-"), "primary-comes-back", "what was under way")
		})
	}
}

// holds fails without showing the whole text, which may be long.
func holds(t *testing.T, text, part, why string) {
	t.Helper()
	assert.True(t, strings.Contains(text, part), "%q is missing: %s", part, why) //nolint:testifylint // see above
}

// hides fails without showing the whole text.
func hides(t *testing.T, text, part, why string) {
	t.Helper()
	assert.False(t, strings.Contains(text, part), "%q is there: %s", part, why) //nolint:testifylint // see above
}

// cut reads a recorded stream up to the start of a test.
func cut(t *testing.T, name, last string) *report.Run {
	t.Helper()
	stream, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	require.NoError(t, err)
	run := &report.Run{}
	for line := range bytes.Lines(stream) {
		event, err := report.ParseEvent(line)
		require.NoError(t, err)
		run.Add(event)
		if event.Test == last {
			return run
		}
	}
	require.Fail(t, "no such test", last)
	return nil
}

func TestResultsKeepToTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("results.schema.json")
	require.NoError(t, err)
	for _, name := range streams {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, "results", read(t, name, nil))))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(document), name)
	}
}

// A field that the schema does not know fails the test above only if the
// schema refuses it.
func TestSchemaRefusesWhatItDoesNotKnow(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("results.schema.json")
	require.NoError(t, err)
	for name, change := range map[string]func(check map[string]any){
		"an unknown field":    func(check map[string]any) { check["new"] = 1 },
		"an unknown verdict":  func(check map[string]any) { check["verdict"] = "maybe" },
		"a field left out":    func(check map[string]any) { delete(check, "obligation") },
		"a figure of no kind": func(check map[string]any) { check["figures"] = []any{"0.4 ms"} },
	} {
		var document map[string]any
		require.NoError(t, json.Unmarshal([]byte(written(t, "results", read(t, "mixed", nil))), &document))
		change(path[map[string]any](t, document, "targets", 0, "checks", 0))
		require.Error(t, schema.Validate(document), name)
	}
}

// path walks into decoded JSON.
func path[T any](t *testing.T, document any, steps ...any) T {
	t.Helper()
	for _, step := range steps {
		switch at := step.(type) {
		case string:
			fields, ok := document.(map[string]any)
			require.True(t, ok)
			document = fields[at]
		case int:
			list, ok := document.([]any)
			require.True(t, ok)
			document = list[at]
		}
	}
	value, ok := document.(T)
	require.True(t, ok)
	return value
}

// The counts of JUnit's XML agree with its cases, and those with the run.
func TestJUnitAddsUp(t *testing.T) {
	type suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Skipped *struct{} `xml:"skipped"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
		} `xml:"testcase"`
	}
	for _, name := range streams {
		run := read(t, name, nil)
		var document struct {
			suite
			Suites []suite `xml:"testsuite"`
		}
		require.NoError(t, xml.Unmarshal([]byte(written(t, "junit", run)), &document), name)
		var tests, failures, errs, skipped int
		for _, one := range document.Suites {
			tests += len(one.Cases)
			assert.Len(t, one.Cases, one.Tests, name)
			for _, each := range one.Cases {
				assert.NotEmpty(t, each.Class)
				assert.NotEmpty(t, each.Name)
				failures += count(each.Failure)
				errs += count(each.Error)
				skipped += count(each.Skipped)
			}
		}
		assert.Equal(t, []int{document.Tests, document.Failures, document.Errors, document.Skipped},
			[]int{tests, failures, errs, skipped}, name)
		passed, failed, left := run.Count()
		assert.Equal(t, []int{passed, failed, left}, []int{tests - failures - errs - skipped, failures + errs, skipped}, name)
	}
}

func count(found *struct{}) int {
	if found == nil {
		return 0
	}
	return 1
}

// A writer that fails is told of.
func TestWritersTellErrors(t *testing.T) {
	results := read(t, "pair", nil).Results()
	for format, write := range formats {
		require.ErrorIs(t, write(full{}, results), errFull, format)
	}
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// The step from events to reports takes less than a second for 2000 events.
// The bound is on processor time, so that other programs do not matter, and
// generous, for slow machines and the race detector.
func TestSpeed(t *testing.T) {
	stream, err := os.ReadFile(filepath.Join("testdata", "pair.jsonl"))
	require.NoError(t, err)
	begun := processorTime(t)
	run, events := &report.Run{}, 0
	for events < 2000 {
		for line := range bytes.Lines(stream) {
			event, err := report.ParseEvent(report.MaskLine(line))
			require.NoError(t, err)
			run.Add(event)
			events++
		}
	}
	results := run.Results()
	for _, write := range formats {
		require.NoError(t, write(io.Discard, results))
	}
	took := processorTime(t) - begun
	t.Logf("%d events, six formats: %s of processor time", events, took)
	assert.Less(t, took, 5*time.Second)
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkReport(b *testing.B) {
	stream, err := os.ReadFile(filepath.Join("testdata", "pair.jsonl"))
	require.NoError(b, err)
	for b.Loop() {
		run := &report.Run{}
		for range 4 {
			for line := range bytes.Lines(stream) {
				event, err := report.ParseEvent(report.MaskLine(line))
				require.NoError(b, err)
				run.Add(event)
			}
		}
		results := run.Results()
		for _, write := range formats {
			require.NoError(b, write(io.Discard, results))
		}
	}
}
