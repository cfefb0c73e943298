package conformance

import (
	"context"
	"fmt"
	"sync"
)

// Verify runs checks on a target, in order, those that may run beside one
// another a few at a time, and gives their results in that order.
//
// The error is a target that cannot be asked at all, ErrDeviations, or
// ErrLeftBehind; checks that fail are results, not errors. When ctx ends, the
// checks that are running are cut off and clean up; they and those that have
// not run are missing from the results, and the error is the context's cause.
func Verify(ctx context.Context, target *Target, checks []Check, options ...Option) (Results, error) {
	chosen := apply(options)
	if err := chosen.deviations.Match(checks); err != nil {
		return nil, fmt.Errorf("verify %s: %w", target.Name, err)
	}
	runner, err := newRunner(ctx, target, chosen)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", target.Name, err)
	}
	judged := make([]*Result, len(checks))
	var observing sync.Mutex
	for _, group := range besides(checks) {
		inParallel(len(group), func(i int) {
			place := group[i]
			result := runner.run(ctx, checks[place])
			if ctx.Err() != nil {
				return // what a check says that was cut off is no verdict
			}
			chosen.deviations.judge(&result)
			runner.judged(result)
			judged[place] = &result
			observing.Lock()
			defer observing.Unlock()
			chosen.observe(result)
		})
		if ctx.Err() != nil {
			break
		}
	}
	var results Results
	for _, result := range judged {
		if result != nil {
			results = append(results, *result)
		}
	}
	return results, runner.end(ctx)
}

// besides splits checks into groups that run one after the other, each given
// by the places of its checks: those that may run beside one another are one
// group as far as they follow each other.
func besides(checks []Check) [][]int {
	var groups [][]int
	for i, check := range checks {
		if check.Beside && i > 0 && checks[i-1].Beside {
			groups[len(groups)-1] = append(groups[len(groups)-1], i)
		} else {
			groups = append(groups, []int{i})
		}
	}
	return groups
}
