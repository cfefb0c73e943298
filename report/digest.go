package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Results makes of a run what the formats are written from. It can be called
// at any time, also when the stream broke off.
func (r *Run) Results() *Results {
	results := &Results{
		Version:     SchemaVersion,
		Interrupted: r.interrupted(),
		Begun:       r.begun.UTC(),
		Seconds:     seconds(r.last.Sub(r.begun).Seconds()),
		Targets:     []*Target{},
		Tests:       []*TestResult{},
		Packages:    []*PackageResult{},
		Notes:       []string{},
	}
	results.Passed, results.Failed, results.Skipped = r.Count()
	for _, note := range r.Notes {
		results.Notes = append(results.Notes, clean(note))
	}
	r.targets(results)
	blamed := map[string]bool{}
	for _, test := range r.leaves() {
		blamed[test.Package] = blamed[test.Package] || test.red()
		target := results.target(r.targetOf(test))
		switch {
		case test.Check() && target != nil:
			target.Checks = append(target.Checks, r.check(test))
		case target != nil && test.Outcome == "fail":
			target.Failures = append(target.Failures, r.testResult(test))
		case target != nil && test.red():
			target.Unfinished = append(target.Unfinished, r.testResult(test))
		default:
			results.Tests = append(results.Tests, r.testResult(test))
		}
	}
	for _, pkg := range r.tested() {
		one := &PackageResult{Name: clean(pkg.Name), Outcome: cmp.Or(pkg.Outcome, cutOff), Seconds: seconds(pkg.Seconds)}
		if pkg.Outcome == "fail" && !blamed[pkg.Name] {
			one.Output = strings.Join(printed(pkg.Output), "\n")
		}
		results.Packages = append(results.Packages, one)
	}
	for _, target := range results.Targets {
		target.judge()
	}
	results.Outcome = r.outcome(results)
	return results
}

// seconds leaves out what floating point adds to the events' milliseconds.
func seconds(value float64) float64 { return float64(int64(value*1000+0.5)) / 1000 }

// interrupted says what ended the run early. A stream that ends before a
// package does was cut off, by whatever.
func (r *Run) interrupted() string {
	if r.Interrupted != "" {
		return clean(r.Interrupted)
	}
	for _, pkg := range r.tested() {
		if pkg.Outcome == "" {
			return "the stream of events ends before its package does"
		}
	}
	return ""
}

// targets lists what was checked, in the order of the tests, with what the
// tests say of it.
func (r *Run) targets(results *Results) {
	for _, test := range r.order {
		name := r.targetOf(test)
		target := results.target(name)
		if target == nil && !test.Check() && !speaksOfTarget(test) {
			continue
		}
		if target == nil {
			target = &Target{
				Name: name, Provenance: []Fact{}, Tally: Tally{},
				Checks: []*Check{}, Failures: []*TestResult{}, Unfinished: []*TestResult{},
			}
			results.Targets = append(results.Targets, target)
		}
		target.read(test)
	}
}

func speaksOfTarget(test *testRun) bool {
	for key := range test.Attributes {
		if key == "target.name" || key == "topology" || strings.HasPrefix(key, "provenance.") {
			return true
		}
	}
	return false
}

// read takes the facts that a test of the target carries. Stacks side by side
// tell the same; where they differ both facts are shown, and the topology is
// the first one's.
func (t *Target) read(test *testRun) {
	t.open = t.open || test.Outcome == ""
	for _, key := range slices.Sorted(maps.Keys(test.Attributes)) {
		name, ok := strings.CutPrefix(key, "provenance.")
		if fact := (Fact{clean(name), clean(test.Attributes[key])}); ok && !slices.Contains(t.Provenance, fact) {
			t.Provenance = append(t.Provenance, fact)
		}
	}
	if t.Topology == nil {
		t.Topology = readTopology(test.Attributes["topology"])
	}
}

func (r *Results) target(name string) *Target {
	for _, target := range r.Targets {
		if target.Name == name {
			return target
		}
	}
	return nil
}

// targetOf names the target of the nearest test above that has a name for
// one, or else the top-level test.
func (r *Run) targetOf(test *testRun) string {
	for name := test.Name; name != ""; {
		if above := r.tests[testKey{test.Package, name}]; above != nil && above.Attributes["target.name"] != "" {
			return clean(above.Attributes["target.name"])
		}
		name = name[:max(strings.LastIndex(name, "/"), 0)]
	}
	return clean(test.Root())
}

func (r *Run) check(test *testRun) *Check {
	text := func(key string) string { return clean(test.Attributes["check."+key]) }
	chapter, _, _ := strings.Cut(text("id"), "/")
	check := &Check{
		ID: text("id"), Chapter: chapter, Level: text("level"), Obligation: text("obligation"),
		Source: text("source"), Verdict: test.judged(), Reason: text("reason"), Consequence: text("consequence"),
		Cure: text("cure"), Reproduce: cmp.Or(text("reproduce"), clean(r.reproduce(test))), Seconds: seconds(test.Seconds),
		Figures: []Figure{}, Series: []Series{}, Faults: []Fault{},
	}
	check.readAttributes(test.Attributes)
	check.split(test.Output)
	check.Location = r.place(test, check.File, check.Line)
	if file, line, known := strings.Cut(text("place"), ":"); known {
		check.File, check.Line = file, atoi(line)
	}
	if check.Verdict == "error" && check.Reason == "" {
		check.Reason = "the check's own test ended without a verdict that fits it: " + cmp.Or(test.Outcome, cutOff)
	}
	return check
}

func (r *Run) testResult(test *testRun) *TestResult {
	file, line := locate(test.Output)
	result := &TestResult{
		Outcome: cmp.Or(test.Outcome, cutOff), Seconds: seconds(test.Seconds),
		Reproduce: clean(r.reproduce(test)), Location: r.place(test, file, line),
		harness: test.Attributes[harnessError] != "",
	}
	if test.Outcome != "pass" {
		result.Output = strings.Join(printed(test.Output), "\n")
	}
	return result
}
