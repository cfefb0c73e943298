package report

import (
	"fmt"
	"slices"
	"strings"
)

// Headline answers the reader's first question, whether the pair is right.
func (r *Results) Headline() string {
	worst := r.worst()
	switch {
	case r.Outcome == Interrupted && (worst == nil || worst.Answer != Wrong):
		return "Not known: the run was interrupted"
	case worst == nil && r.Outcome == Passed:
		return "No pair was checked; the tests passed"
	case worst == nil:
		return "No pair was checked, and the run is not green"
	case len(r.Targets) == 1 || worst.Answer == Right:
		return map[Answer]string{
			Right:    "Yes, the pair is right",
			Deviates: "Yes, but for " + plural(worst.Tally["deviation"], "known deviation"),
			Stale:    "Yes, but its list of known deviations is stale",
			Unproven: "Not known: no check was executed",
			Unknown:  "Not known: " + worst.unknown(),
			Wrong:    "No: " + worst.wrong(),
		}[worst.Answer]
	}
	return map[Answer]string{
		Deviates: "Yes, but for known deviations of " + r.named(Deviates),
		Stale:    "Yes, but the list of known deviations is stale for " + r.named(Stale),
		Unproven: "Not known: no check was executed on " + r.named(Unproven),
		Unknown:  "Not known for " + r.named(Unknown),
		Wrong:    "No: " + r.named(Wrong) + " " + isAre(r.count(Wrong)) + " wrong",
	}[worst.Answer]
}

// Sentence answers whether the target is right.
func (t *Target) Sentence() string {
	return map[Answer]string{
		Right:    "right",
		Deviates: "right but for " + plural(t.Tally["deviation"], "known deviation"),
		Stale:    "right, but its list of known deviations is stale",
		Unproven: "unproven: no check was executed",
		Unknown:  "not known: " + t.unknown(),
		Wrong:    "wrong: " + t.wrong(),
	}[t.Answer]
}

func (t *Target) wrong() string {
	if failed := t.Tally["fail"]; failed > 0 {
		return plural(failed, "check") + " failed"
	}
	return plural(len(t.Failures), "test") + " failed before or beside the checks"
}

func (t *Target) unknown() string {
	if errors := t.Tally["error"]; errors > 0 {
		return "the harness failed in " + plural(errors, "check")
	}
	return "the run ended early"
}

// ranks are the answers from best to worst.
var ranks = [...]Answer{Right, Deviates, Stale, Unproven, Unknown, Wrong} //nolint:gochecknoglobals // a constant list

// worst is the target with the worst answer, nil without targets.
func (r *Results) worst() *Target {
	for i := len(ranks) - 1; i >= 0; i-- {
		for _, target := range r.Targets {
			if target.Answer == ranks[i] {
				return target
			}
		}
	}
	return nil
}

func (r *Results) count(answer Answer) int {
	count := 0
	for _, target := range r.Targets {
		if target.Answer == answer {
			count++
		}
	}
	return count
}

// named lists the targets with an answer: a, b and c.
func (r *Results) named(answer Answer) string {
	var names []string
	for _, target := range r.Targets {
		if target.Answer == answer {
			names = append(names, target.Name)
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Wrong says whether something failed that would have failed in a whole run
// too, also when the run was interrupted.
func (r *Results) Wrong() bool {
	return r.Outcome == Failed ||
		slices.ContainsFunc(r.Targets, func(target *Target) bool { return target.Answer == Wrong }) ||
		slices.ContainsFunc(r.Tests, func(test *TestResult) bool { return test.Outcome == "fail" && !test.harness })
}

// Totals tells how much passed, failed and was skipped, and how long it took.
func (r *Results) Totals() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped in %s", r.Passed, r.Failed, r.Skipped, duration(r.Seconds))
}

// others lists the tests that are no checks and did not pass, those of the
// targets first.
func (r *Results) others() []*TestResult {
	var found []*TestResult
	for _, target := range r.Targets {
		found = slices.Concat(found, target.Failures, target.Unfinished)
	}
	for _, test := range r.Tests {
		if test.Outcome != "pass" && test.Outcome != "skip" {
			found = append(found, test)
		}
	}
	return found
}

// standIn finds a fact that says that an image is not the official one.
func (t *Target) standIn() bool {
	for _, fact := range t.Provenance {
		if strings.Contains(strings.ToLower(fact.Value), "stand-in") {
			return true
		}
	}
	return false
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

func isAre(count int) string {
	if count == 1 {
		return "is"
	}
	return "are"
}

// duration writes seconds for people.
func duration(value float64) string {
	switch {
	case value >= 60:
		return fmt.Sprintf("%d min %d s", int(value)/60, int(value)%60)
	case value >= 10:
		return fmt.Sprintf("%.0f s", value)
	}
	return fmt.Sprintf("%.2g s", value)
}
