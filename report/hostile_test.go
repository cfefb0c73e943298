package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

// hostile is text that would break out of where it is put.
const hostile = "</script></style></pre></title><script>evil()</script>\"'><img src=x onerror=evil()>" +
	"`evil` | [evil](javascript:evil()) ]]> {{evil}} ${evil} \x1b[31m\x00\u202e\n::error::evil\r\n# evil"

// everywhere puts text wherever a stream can carry text.
func everywhere(text string) *report.Run {
	run := &report.Run{Interrupted: text}
	const pkg = "example.org/pair"
	root, name := "TestPair", "TestPair/slot/"+text
	add := func(action, test, key, value string) {
		event := report.Event{Action: action, Package: pkg, Test: test, Key: key, Value: value}
		if action == "output" {
			event.Output, event.Value = value, ""
		}
		run.Add(event)
	}
	add("run", root, "", "")
	add("attr", root, "target.name", text)
	add("attr", root, "provenance."+text, text)
	topology, err := json.Marshal(map[string]any{
		"nodes": []any{
			map[string]any{"name": text, "role": text, "version": text, "image": text, "ports": []string{text}},
			map[string]any{"name": "other", "role": "standby"},
		},
		"links": []any{map[string]any{"from": text, "to": "other", "slot": text, "state": text}},
	})
	if err != nil {
		panic(err)
	}
	add("attr", root, "topology", string(topology))
	series, err := json.Marshal(map[string]any{"x": text, "y": text, "points": [][]float64{{0, 1}, {1, 2}}})
	if err != nil {
		panic(err)
	}
	fault, err := json.Marshal(map[string]any{"name": text, "node": text, "from": 0.1, "to": 0.2})
	if err != nil {
		panic(err)
	}
	for i, verdict := range []string{"fail", "error", "fixed", "deviation", "skip", "pass", text} {
		check := fmt.Sprint(name, i)
		add("run", check, "", "")
		for _, key := range []string{"level", "obligation", "source", "reason", "consequence", "cure", "reproduce"} {
			add("attr", check, "check."+key, text)
		}
		add("attr", check, "check.id", "slot/"+text)
		add("attr", check, "check.verdict", verdict)
		add("attr", check, "figure."+text, "1 "+text)
		add("attr", check, "series."+text, string(series))
		add("attr", check, "series.lag", `{"x":"s","y":"bytes","points":[[0,1],[1,2]]}`)
		add("attr", check, "fault."+text, string(fault))
		add("output", check, "", "    run.go:1: "+verdict+": "+text+"\n")
		add("output", check, "", "        "+text+"\n")
		add("fail", check, "", "")
	}
	add("run", "TestOther"+text, "", "")
	add("output", "TestOther"+text, "", text)
	add("fail", "TestOther"+text, "", "")
	add("fail", root, "", "")
	run.Add(report.Event{Action: "output", Package: pkg + "/" + text, Output: text})
	run.Add(report.Event{Action: "fail", Package: pkg + "/" + text})
	run.Note(text)
	return run
}

// Nothing that the stream says becomes a part of the page, of the XML, of
// Markdown or of a workflow command.
func TestHostileText(t *testing.T) {
	run := everywhere(hostile)
	t.Run("html", func(t *testing.T) {
		page := written(t, "html", run)
		assert.Equal(t, 1, strings.Count(page, "<script"), "one script")
		assert.Equal(t, 1, strings.Count(page, "<style"), "one style sheet")
		hides(t, page, "<img", "hostile text")
		hides(t, page, "<script>evil", "hostile text")
		tags := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, "")
		assert.Empty(t, regexp.MustCompile(`<[^>]*\son\w+=`).FindString(tags), "no handler in a tag")
		assert.Empty(t, regexp.MustCompile(`(href|src)="javascript`).FindString(page))
		hides(t, page, "ZgotmplZ", "a value stands where the template cannot escape it")
		hides(t, page, "\x1b", "hostile text")
		hides(t, page, "\u202e", "hostile text")
		holds(t, page, "&lt;script&gt;evil()&lt;/script&gt;", "it is shown as text")
	})
	t.Run("junit", func(t *testing.T) {
		decoder := xml.NewDecoder(strings.NewReader(written(t, "junit", run)))
		known := map[string]bool{}
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if element, ok := token.(xml.StartElement); ok {
				known[element.Name.Local] = true
			}
		}
		assert.NotContains(t, known, "script")
		assert.NotContains(t, known, "img")
	})
	t.Run("markdown", func(t *testing.T) {
		text := written(t, "markdown", run)
		hides(t, text, "<script", "hostile text")
		hides(t, text, "<img", "hostile text")
		assert.Empty(t, regexp.MustCompile(`[^\\]\]\(javascript`).FindString(text), "no link")
		assert.Empty(t, regexp.MustCompile(`(?m)^(# evil|::error)`).FindString(text))
	})
	t.Run("annotations", func(t *testing.T) {
		for line := range strings.Lines(written(t, "annotations", run)) {
			assert.Regexp(t, `^::(error|warning) (file=[^,:]*,line=\d+,)?title=[^,:]*::`, line)
		}
	})
	t.Run("results", func(t *testing.T) {
		assert.True(t, json.Valid([]byte(written(t, "results", run))))
	})
	t.Run("progress", func(t *testing.T) {
		var text strings.Builder
		progress := report.NewProgress(&text, false, 0)
		for _, action := range []string{"output", "fail"} {
			require.NoError(t, progress.Add(report.Event{Action: action, Package: "example.org/pair", Test: "TestPair" + hostile, Output: "    a.go:1: " + hostile}))
		}
		require.NoError(t, progress.Add(report.Event{Action: "fail", Package: hostile}))
		holds(t, text.String(), "evil", "it is told")
		hides(t, text.String(), "\x1b", "hostile text")
		hides(t, text.String(), "\x00", "hostile text")
		hides(t, text.String(), "\u202e", "hostile text")
	})
	t.Run("summary", func(t *testing.T) {
		text := written(t, "summary", run)
		hides(t, text, "\x1b", "hostile text")
		hides(t, text, "\x00", "hostile text")
	})
}

// GitHub Actions takes workflow commands from the terminal: from what this
// program writes itself only.
func TestHostileTextCommandsNoWorkflow(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	const forged = "x\n::stop-commands::forged\n::forged::\n::error::evil\nand ##[error]evil"
	var out strings.Builder
	require.NoError(t, delivery.Finish(t.TempDir(), everywhere(forged).Results(), &out))
	text := out.String()
	stop := regexp.MustCompile(`^::stop-commands::(\w{20,})\n`).FindStringSubmatch(text)
	require.NotNil(t, stop, "nothing comes before it")
	said, ours, resumed := strings.Cut(text, "\n::"+stop[1]+"::\n")
	require.True(t, resumed)
	holds(t, said, "::error::evil\n", "the summary tells it")
	for line := range strings.Lines(ours) {
		assert.Regexp(t, `^(::(error|warning) (file=[^,:]*,line=\d+,)?title=[^,:]*::|report: )`, line)
	}
	out.Reset()
	require.NoError(t, delivery.Finish(t.TempDir(), everywhere(forged).Results(), &out))
	hides(t, out.String(), stop[1], "another run, another word")
}

// Attributes that do not keep to the protocol are told of and change nothing.
func TestMalformedAttributes(t *testing.T) {
	for key, value := range map[string]string{
		"figure.p50":     "many ms",
		"figure.nan":     "NaN ms",
		"figure.inf":     "+Inf ms",
		"figure.empty":   "",
		"series.text":    "not JSON",
		"series.empty":   `{"x":"s","y":"ms","points":[]}`,
		"series.flat":    `{"x":"s","y":"ms","points":[1,2]}`,
		"series.triple":  `{"x":"s","y":"ms","points":[[1,2,3]]}`,
		"series.single":  `{"x":"s","y":"ms","points":[[1]]}`,
		"series.huge":    `{"x":"s","y":"ms","points":[[1,1e999]]}`,
		"fault.1":        `{"name":"stop"}`,
		"fault.2":        `{"name":"stop","from":2,"to":1}`,
		"fault.3":        `[]`,
		"series.nothing": `null`,
	} {
		t.Run(key, func(t *testing.T) {
			run := checked(map[string]string{key: value})
			check := run.Results().Targets[0].Checks[0]
			assert.Equal(t, []string{key}, check.Unreadable)
			assert.Equal(t, "pass", check.Verdict)
			assert.Empty(t, check.Figures)
			assert.Empty(t, check.Series)
			assert.Empty(t, check.Faults)
			for _, write := range formats {
				require.NoError(t, write(io.Discard, run.Results()))
			}
		})
	}
	t.Run("unknown", func(t *testing.T) {
		assert.Empty(t, checked(map[string]string{"weather": "fine", "check.new": "x"}).Results().Targets[0].Checks[0].Unreadable)
	})
	for _, topology := range []string{"", "null", "[]", "{", `{"nodes":[]}`, `{"links":[{"from":"a"}]}`, `{"nodes":"a"}`} {
		assert.Nil(t, checked(map[string]string{"topology": topology}).Results().Targets[0].Topology, topology)
	}
}

// checked is a run of one check that passed, with attributes.
func checked(attributes map[string]string) *report.Run {
	run := &report.Run{}
	const name = "TestPair/slot/used"
	run.Add(report.Event{Action: "run", Package: "p", Test: name})
	for _, attribute := range [][2]string{{"check.id", "slot/used"}, {"check.verdict", "pass"}} {
		run.Add(report.Event{Action: "attr", Package: "p", Test: name, Key: attribute[0], Value: attribute[1]})
	}
	for key, value := range attributes {
		run.Add(report.Event{Action: "attr", Package: "p", Test: name, Key: key, Value: value})
	}
	run.Add(report.Event{Action: "pass", Package: "p", Test: name})
	run.Add(report.Event{Action: "pass", Package: "p"})
	return run
}

// Values at the edge of what numbers can be do not break a plot.
func TestPlotsOfOddSeries(t *testing.T) {
	for name, series := range map[string]string{
		"one point":  `{"x":"s","y":"bytes","points":[[1,1]]}`,
		"all zero":   `{"x":"s","y":"bytes","points":[[0,0],[0,0]]}`,
		"negative":   `{"x":"s","y":"ms","points":[[-1,-5],[2,-1]]}`,
		"tiny":       `{"x":"s","y":"ms","points":[[0,1e-300],[1,2e-300]]}`,
		"enormous":   `{"x":"s","y":"bytes","points":[[0,-1e308],[1,1e308]]}`,
		"far apart":  `{"x":"s","y":"ms","points":[[0,1e-9],[1,1e9]]}`,
		"no units":   `{"points":[[0,1],[1,2]]}`,
		"out of row": `{"x":"s","y":"ms","points":[[5,1],[1,2],[3,3]]}`,
	} {
		for _, kind := range []string{"lag", "commit-to-visible", "wal-retained", "write-gap", "other"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				page := written(t, "html", checked(map[string]string{
					"series." + kind: series, "fault.1": `{"name":"stop","node":"a","from":0.5,"to":9}`,
				}))
				holds(t, page, "<svg", "drawn")
				assert.Empty(t, regexp.MustCompile(`NaN|Inf|ZgotmplZ`).FindString(page))
				assert.Empty(t, regexp.MustCompile(`(width|height)="-`).FindString(page))
			})
		}
	}
}
