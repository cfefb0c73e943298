package conformance

import (
	"context"
	"fmt"
)

// Verify runs checks on a target, in order, and gives their results. The
// error is a target that cannot be asked at all, or ErrDeviations; checks that
// fail are results, not errors. When ctx ends, the checks that have not run
// are missing from the results.
func Verify(ctx context.Context, target *Target, checks []Check, options ...Option) (Results, error) {
	chosen := apply(options)
	if err := chosen.deviations.Match(checks); err != nil {
		return nil, fmt.Errorf("verify %s: %w", target.Name, err)
	}
	runner, err := newRunner(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", target.Name, err)
	}
	var results Results
	for _, check := range checks {
		if ctx.Err() != nil {
			return results, fmt.Errorf("verify %s: %w", target.Name, context.Cause(ctx))
		}
		result := runner.run(ctx, check)
		chosen.deviations.judge(&result)
		results = append(results, result)
		chosen.observe(result)
	}
	return results, nil
}
