package report

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Run is what a stream of events tells: fed by Add, it can be read at any
// time, also when the stream breaks off. The zero value is ready to use.
type Run struct {
	Module      string   // path of the tested module, which makes paths of its packages relative; may be empty
	Interrupted string   // what ended the run early, as a signal does; empty when it ran to its end
	Broken      bool     // the go command failed, whatever its tests came to
	Notes       []string // lines outside every test: build errors, the go command's complaints

	tests       map[testKey]*testRun
	order       []*testRun
	packages    map[string]*packageRun
	begun, last time.Time
}

type testKey struct{ pkg, name string }

// packageRun is one tested package.
type packageRun struct {
	Name    string
	Outcome string // pass, fail, skip; empty while it runs
	Seconds float64
	Output  []string // what it printed outside its tests
}

// testRun is one test or subtest.
type testRun struct {
	Package    string
	Name       string
	Outcome    string // pass, fail, skip; empty while it runs or when it was cut off
	Seconds    float64
	Attributes map[string]string
	Output     []string
	parent     bool
}

// Add takes the next event of the stream.
func (r *Run) Add(event Event) {
	if !event.Time.IsZero() {
		if r.begun.IsZero() {
			r.begun = event.Time
		}
		r.last = event.Time
	}
	switch {
	case event.Action == "build-output":
		r.Note(strings.TrimRight(event.Output, "\n"))
	case event.Package == "":
	case event.Test == "":
		r.addPackage(event)
	default:
		r.addTest(event)
	}
}

// Note keeps a line that is no event, with its passwords masked.
func (r *Run) Note(line string) { r.Notes = append(r.Notes, Mask(line)) }

func (r *Run) addPackage(event Event) {
	if r.packages == nil {
		r.packages = map[string]*packageRun{}
	}
	known := r.packages[event.Package]
	if known == nil {
		known = &packageRun{Name: event.Package}
		r.packages[event.Package] = known
	}
	switch event.Action {
	case "pass", "fail", "skip":
		known.Outcome, known.Seconds = event.Action, event.Elapsed
	case "output":
		known.Output = append(known.Output, event.Output)
	}
}

func (r *Run) addTest(event Event) {
	if event.Action == "run" {
		r.forget(event.Package, event.Test)
	}
	test := r.test(event.Package, event.Test)
	switch event.Action {
	case "run":
		r.markParents(event.Package, event.Test)
	case "pass", "fail", "skip":
		test.Outcome, test.Seconds = event.Action, event.Elapsed
	case "output":
		test.Output = append(test.Output, event.Output)
	case "attr":
		test.Attributes[event.Key] = event.Value
	}
}

// markParents notes that the tests above a subtest are headings, not tests of
// their own. A slash in a subtest's own name makes no test above it.
func (r *Run) markParents(pkg, name string) {
	for at := strings.LastIndex(name, "/"); at > 0; at = strings.LastIndex(name[:at], "/") {
		if above := r.tests[testKey{pkg, name[:at]}]; above != nil {
			above.parent = true
		}
	}
}

// forget makes room for a test that runs once more, as -count asks for: its
// earlier run stays in the order and keeps its outcome.
func (r *Run) forget(pkg, name string) {
	key := testKey{pkg, name}
	if known := r.tests[key]; known != nil && known.Outcome != "" {
		delete(r.tests, key)
	}
}

func (r *Run) test(pkg, name string) *testRun {
	key := testKey{pkg, name}
	known := r.tests[key]
	if known == nil {
		known = &testRun{Package: pkg, Name: name, Attributes: map[string]string{}}
		if r.tests == nil {
			r.tests = map[testKey]*testRun{}
		}
		r.tests[key] = known
		r.order = append(r.order, known)
	}
	return known
}

// Check says whether the test is a check of the conformance suite.
func (t *testRun) Check() bool { return t.Attributes["check.id"] != "" }

// Root is the name of the top-level test.
func (t *testRun) Root() string {
	root, _, _ := strings.Cut(t.Name, "/")
	return root
}

// leaves lists the tests that have no subtests, and the parents that failed by
// themselves, in the order they began: none of their subtests did, or they say
// something of their own, such as what a clean-up left behind.
func (r *Run) leaves() []*testRun {
	var leaves []*testRun
	for _, test := range r.order {
		if !test.parent || test.red() && (!r.childIsRed(test) || test.speaks()) {
			leaves = append(leaves, test)
		}
	}
	return leaves
}

// speaks says whether the test itself, none of its subtests, wrote by testing.T.
func (t *testRun) speaks() bool { return slices.ContainsFunc(printed(t.Output), logged.MatchString) }

func (r *Run) childIsRed(parent *testRun) bool {
	return slices.ContainsFunc(r.order, func(test *testRun) bool {
		return test.Package == parent.Package && strings.HasPrefix(test.Name, parent.Name+"/") && test.red()
	})
}

func (t *testRun) red() bool { return t.Outcome != "pass" && t.Outcome != "skip" }

// tested lists the tested packages by name.
func (r *Run) tested() []*packageRun {
	var all []*packageRun
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		all = append(all, r.packages[name])
	}
	return all
}

// Count says how many leaves passed, failed and were skipped. A test that was
// cut off has failed; a package that failed without a failed test counts as one.
func (r *Run) Count() (passed, failed, skipped int) {
	broken := map[string]bool{}
	for _, test := range r.leaves() {
		switch test.Outcome {
		case "pass":
			passed++
		case "skip":
			skipped++
		default:
			failed++
			broken[test.Package] = true
		}
	}
	for _, pkg := range r.packages {
		if pkg.Outcome == "fail" && !broken[pkg.Name] {
			failed++
		}
	}
	return passed, failed, skipped
}

// Green says whether the run proves anything and nothing failed.
func (r *Run) Green() bool {
	passed, failed, _ := r.Count()
	return passed > 0 && failed == 0
}
