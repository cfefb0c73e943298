package report

import "slices"

// verdicts are the verdicts of checks, from best to worst.
var verdicts = [...]string{"pass", "deviation", "skip", "fixed", "fail", "error"} //nolint:gochecknoglobals // a constant list

// harnessError is the attribute of a test that is no check and could not do
// what it is for, such as reach an engine. Its value is the error.
const harnessError = "harness.error"

// cutOff is the outcome of what was running when the stream ended.
const cutOff = "cut off"

// judged is the verdict of a check, made to fit what the testing package says:
// a check whose test failed is not green, whatever it published before.
func (t *testRun) judged() string {
	verdict := t.Attributes["check.verdict"]
	red := verdict == "fail" || verdict == "fixed" || verdict == "error"
	switch {
	case !slices.Contains(verdicts[:], verdict), t.Outcome == "fail" && !red:
		if t.Outcome == "pass" || t.Outcome == "skip" {
			return t.Outcome
		}
		return "error"
	case t.Outcome == "skip" && verdict == "pass":
		return "skip"
	}
	return verdict
}

// judge counts the verdicts and answers whether the target is right.
func (t *Target) judge() {
	for _, verdict := range verdicts {
		t.Tally[verdict] = 0
	}
	for _, check := range t.Checks {
		t.Tally[check.Verdict]++
		t.Seconds += check.Seconds
	}
	t.Seconds = seconds(t.Seconds)
	executed := len(t.Checks) - t.Tally["skip"]
	switch {
	case t.Tally["fail"] > 0 || len(t.Failures) > 0:
		t.Answer = Wrong
	case t.Tally["error"] > 0 || t.open:
		t.Answer = Unknown
	case executed == 0:
		t.Answer = Unproven
	case t.Tally["fixed"] > 0:
		t.Answer = Stale
	case t.Tally["deviation"] > 0:
		t.Answer = Deviates
	default:
		t.Answer = Right
	}
}

// outcome is the kind of end that the run had.
func (r *Run) outcome(results *Results) Outcome {
	excused := 0
	for _, target := range results.Targets {
		excused += target.Tally["error"]
	}
	begun := map[string]bool{}
	for _, test := range r.order {
		begun[test.Package] = true
		if test.Outcome == "fail" && test.Attributes[harnessError] != "" {
			excused++
		}
	}
	for _, pkg := range r.packages {
		if pkg.Outcome == "fail" && !begun[pkg.Name] {
			excused++ // it did not compile, or refused its arguments
		}
	}
	switch {
	case results.Interrupted != "":
		return Interrupted
	case results.Failed > excused:
		return Failed
	case r.Broken || results.Failed > 0 || results.Passed == 0:
		return Broken
	}
	return Passed
}

// wanting lists the checks of the target that need somebody's attention, the
// worst first.
func (t *Target) wanting() []*Check {
	var found []*Check
	for _, verdict := range [...]string{"fail", "error", "fixed", "deviation"} {
		for _, check := range t.Checks {
			if check.Verdict == verdict {
				found = append(found, check)
			}
		}
	}
	return found
}
