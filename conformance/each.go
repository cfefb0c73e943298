package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// runOnEach executes a check once for each standby, and gives one result: the
// worst verdict, with the reasons and figures of all under the standbys' names.
func (r *runner) runOnEach(ctx context.Context, check Check) Result {
	whole := Result{Check: check, Verdict: Skip}
	for i, standby := range r.target.Pair.Standbys {
		one := r.runOn(ctx, facing(r.target, i), check)
		whole.Duration += one.Duration
		if worse(one.Verdict, whole.Verdict) {
			whole.Verdict = one.Verdict
		}
		for _, reason := range one.Reasons {
			whole.Reasons = append(whole.Reasons, fmt.Sprintf("%s: %s", standby.Name(), reason))
		}
		for _, figure := range one.Figures {
			figure.Name += " of " + standby.Name()
			whole.Figures = append(whole.Figures, figure)
		}
		for _, series := range one.Series {
			series.Name += " of " + standby.Name()
			whole.Series = append(whole.Series, series)
		}
		whole.Faults = append(whole.Faults, one.Faults...)
	}
	return whole
}

// facing is a target whose first standby is another one.
func facing(target *Target, i int) *Target {
	view, standbys := *target, target.Pair.Standbys
	view.Pair = &pair.Pair{Primary: target.Pair.Primary, Standbys: slices.Concat(standbys[i:], standbys[:i])}
	return &view
}

// worse compares verdicts of one check on several standbys: what was skipped on
// one of them only says nothing of the others.
func worse(one, than Verdict) bool {
	order := []Verdict{Skip, Pass, Fail, Error}
	return slices.Index(order, one) > slices.Index(order, than)
}
