package conformance

import "time"

// Verdict is the outcome of one check.
type Verdict string

// The verdicts, from best to worst.
const (
	Pass      Verdict = "pass"
	Deviation Verdict = "deviation" // failed, and listed as known
	Skip      Verdict = "skip"      // a need is not met
	Fixed     Verdict = "fixed"     // listed as known, but passed: the list is stale
	Fail      Verdict = "fail"
	Error     Verdict = "error" // the harness or the engine failed, not the target
)

// Red says whether the verdict makes a run fail.
func (v Verdict) Red() bool { return v == Fixed || v == Fail || v == Error }

// Result is what came of one check.
type Result struct {
	Check    Check
	Verdict  Verdict
	Reasons  []string        // why it did not pass: one entry for each thing seen
	Known    *KnownDeviation // set when the failure is listed
	Figures  []Figure
	Series   []Series
	Faults   []Window // what was broken meanwhile
	Duration time.Duration
}

// Figure is a measured value.
type Figure struct {
	Name  string
	Value float64
	Unit  string // ms, bytes, rows, ...
}

// Results is what came of a run.
type Results []Result

// Count says how many checks ended with a verdict.
func (r Results) Count(verdict Verdict) int {
	count := 0
	for _, result := range r {
		if result.Verdict == verdict {
			count++
		}
	}
	return count
}

// Executed says how many checks really ran: a run of none proves nothing.
func (r Results) Executed() int { return len(r) - r.Count(Skip) }

// Green says whether the run proves the target: something ran and nothing is red.
func (r Results) Green() bool {
	for _, result := range r {
		if result.Verdict.Red() {
			return false
		}
	}
	return r.Executed() > 0
}
