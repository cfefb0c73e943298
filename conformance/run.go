package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// Run makes a subtest chapter/name of each check and fails those with a red
// verdict. Every subtest carries the check's id, level, verdict and figures
// as attributes, so that go test -json tells it all.
// A run in which nothing was executed fails.
func Run(t *testing.T, target *Target, checks []Check, options ...Option) {
	t.Helper()
	chosen := apply(options)
	if err := chosen.deviations.Match(checks); err != nil {
		t.Fatalf("verify %s: %v", target.Name, err)
	}
	runner, err := newRunner(t.Context(), target)
	if err != nil {
		t.Fatalf("verify %s: %v", target.Name, err)
	}
	for _, fact := range target.Provenance {
		t.Attr("provenance."+fact.Name, oneLine(fact.Value))
	}
	var results Results
	for _, chapter := range byChapter(checks) {
		t.Run(chapter[0].Chapter(), func(t *testing.T) {
			for _, check := range chapter {
				t.Run(check.Name(), func(t *testing.T) {
					result := runner.run(t.Context(), check)
					chosen.deviations.judge(&result)
					results = append(results, result)
					chosen.observe(result)
					publish(t, result)
				})
			}
		})
	}
	if results.Executed() == 0 {
		t.Errorf("verify %s: no check was executed (%d skipped): this proves nothing", target.Name, len(results))
	}
}

// byChapter groups checks, keeping their order.
func byChapter(checks []Check) [][]Check {
	var chapters [][]Check
	index := map[string]int{}
	for _, check := range checks {
		at, known := index[check.Chapter()]
		if !known {
			at = len(chapters)
			index[check.Chapter()] = at
			chapters = append(chapters, nil)
		}
		chapters[at] = append(chapters[at], check)
	}
	return chapters
}

func publish(t *testing.T, result Result) {
	t.Helper()
	t.Attr("check.id", result.Check.ID)
	t.Attr("check.level", string(result.Check.Level))
	t.Attr("check.obligation", result.Check.Obligation)
	t.Attr("check.source", result.Check.Source)
	t.Attr("check.verdict", string(result.Verdict))
	if len(result.Reasons) > 0 {
		t.Attr("check.reason", oneLine(result.Reasons[0]))
	}
	for _, figure := range result.Figures {
		t.Attr("figure."+figure.Name, fmt.Sprintf("%g %s", figure.Value, figure.Unit))
	}
	text := fmt.Sprintf("%s: %s\n%s", result.Verdict, result.Check.Obligation, strings.Join(result.Reasons, "\n"))
	switch {
	case result.Verdict.Red():
		t.Error(text)
	case result.Verdict == Skip:
		t.Skip(text)
	case result.Verdict == Deviation:
		t.Log(text)
	}
}

// oneLine makes text fit for an attribute, which holds no line break.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
