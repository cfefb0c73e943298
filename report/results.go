package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// SchemaVersion is the version of results.json. It rises when a field changes
// its meaning or goes; new fields do not raise it.
const SchemaVersion = 1

// Results is what a run came to: what every format is written from, and the
// content of results.json. RESULTS.md and results.schema.json describe it.
// Passwords are masked and control characters removed in all of its text.
type Results struct {
	Version     int              `json:"version"` // SchemaVersion
	Outcome     Outcome          `json:"outcome"`
	Interrupted string           `json:"interrupted,omitempty"` // what ended the run early
	Begun       time.Time        `json:"begun"`                 // of the first event
	Seconds     float64          `json:"seconds"`               // from the first event to the last
	Passed      int              `json:"passed"`                // checks and tests without subtests
	Failed      int              `json:"failed"`
	Skipped     int              `json:"skipped"`
	Targets     []*Target        `json:"targets"`
	Tests       []*TestResult    `json:"tests"` // those that are no checks
	Packages    []*PackageResult `json:"packages"`
	Notes       []string         `json:"notes"` // lines outside every test
}

// Outcome says what kind of end a run had.
type Outcome string

// The outcomes. Each has an exit code of its own in cmd/verify.
const (
	Passed      Outcome = "passed"      // something was executed and nothing is red
	Failed      Outcome = "failed"      // a check or a test failed
	Broken      Outcome = "broken"      // nothing failed, but the harness did, or nothing was executed
	Interrupted Outcome = "interrupted" // the run ended early; what it found until then stands
)

// Target is what checks were run on: a recipe, or running servers. Several
// tests of one run may check the same target.
type Target struct {
	Name       string        `json:"name"`
	Answer     Answer        `json:"answer"`
	Seconds    float64       `json:"seconds"` // of its checks, added up
	Provenance []Fact        `json:"provenance"`
	Topology   *Topology     `json:"topology,omitempty"`
	Tally      Tally         `json:"tally"`
	Checks     []*Check      `json:"checks"`
	Failures   []*TestResult `json:"failures"`   // tests of the target that failed without being checks
	Unfinished []*TestResult `json:"unfinished"` // tests of the target that were running when the run ended
	open       bool          // some test of it has not ended
}

// Answer says whether a target is right.
type Answer string

// The answers, from best to worst.
const (
	Right    Answer = "right"    // every executed check passed
	Deviates Answer = "deviates" // so it is, but for known deviations
	Stale    Answer = "stale"    // a known deviation is gone, the list of them is wrong
	Unproven Answer = "unproven" // no check was executed
	Unknown  Answer = "unknown"  // the harness failed, or the run ended early
	Wrong    Answer = "wrong"    // a check failed
)

// Tally counts checks by verdict. It has an entry for each verdict.
type Tally map[string]int

// Fact is a named value that says what was tested.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Check is what came of one check.
type Check struct {
	ID          string   `json:"id"` // chapter/name
	Chapter     string   `json:"chapter"`
	Level       string   `json:"level"` // must or should
	Obligation  string   `json:"obligation"`
	Source      string   `json:"source"`
	Verdict     string   `json:"verdict"` // pass, deviation, skip, fixed, fail, error
	Reason      string   `json:"reason,omitempty"`
	Seen        string   `json:"seen,omitempty"` // what the check says it saw, lines
	Consequence string   `json:"consequence,omitempty"`
	Cure        string   `json:"cure,omitempty"`
	Reproduce   string   `json:"reproduce"` // a command
	Seconds     float64  `json:"seconds"`
	Figures     []Figure `json:"figures"`
	Series      []Series `json:"series"`
	Faults      []Fault  `json:"faults"`
	Unreadable  []string `json:"unreadable,omitempty"` // attributes that do not keep to the protocol
	Log         string   `json:"log,omitempty"`        // what else it printed
	Location
}

// Location is where in the source something was reported.
type Location struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	File    string `json:"file,omitempty"` // relative to the module where that is known
	Line    int    `json:"line,omitempty"`
}

// Figure is a measured value.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // ms, bytes, rows, ...; empty for a count
}

// Series is a row of measured values.
type Series struct {
	Name   string       `json:"name"`
	X      string       `json:"x"` // unit; s counts from the start of the check
	Y      string       `json:"y"` // unit
	Points [][2]float64 `json:"points"`
}

// Fault is something that was broken on purpose.
type Fault struct {
	Name string  `json:"name"`
	Node string  `json:"node"`
	From float64 `json:"from"` // seconds since the check began
	To   float64 `json:"to"`
}

// Topology is the servers as they were found.
type Topology struct {
	Nodes []Node `json:"nodes"`
	Links []Link `json:"links"`
}

// Node is one server.
type Node struct {
	Name    string   `json:"name"`
	Role    string   `json:"role"` // primary or standby
	Version string   `json:"version"`
	Image   string   `json:"image"`
	Ports   []string `json:"ports"`
}

// Link is one WAL stream, from the sending server to the receiving one.
type Link struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Slot  string `json:"slot"`
	State string `json:"state"`
}

// TestResult is what came of one test that is no check.
type TestResult struct {
	Outcome   string  `json:"outcome"` // pass, fail, skip, cut off
	Seconds   float64 `json:"seconds"`
	Reproduce string  `json:"reproduce"`
	Output    string  `json:"output,omitempty"` // of tests that did not pass
	Location
	harness bool // it could not do what it is for, such as reach an engine
}

// PackageResult is what came of one package.
type PackageResult struct {
	Name    string  `json:"name"`
	Outcome string  `json:"outcome"` // pass, fail, skip, cut off
	Seconds float64 `json:"seconds"`
	Output  string  `json:"output,omitempty"` // of a package that failed although none of its tests did
}

// unbuilt says whether a test of the package could not be compiled or set up:
// then the lines outside every test tell why.
func (p *PackageResult) unbuilt() bool {
	return strings.Contains(p.Output, "[build failed]") || strings.Contains(p.Output, "[setup failed]")
}

// noted is what the lines outside every test say, where they tell what is
// wrong: a compiler's errors, the go command's complaints. Else it is empty.
func (r *Results) noted() string {
	if r.Outcome != Broken && !slices.ContainsFunc(r.Packages, (*PackageResult).unbuilt) {
		return ""
	}
	return strings.Join(r.Notes, "\n")
}

// WriteResults writes results.json.
func WriteResults(out io.Writer, results *Results) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(results); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}
