package conformance

import "strings"

// Option changes how checks are run.
type Option func(*choices)

type choices struct {
	deviations Deviations
	observe    func(Result)
	reproduce  func(test string, check Check) string
}

// WithDeviations gives failures that are known a verdict of their own, and
// fails those that no longer happen.
func WithDeviations(known Deviations) Option {
	return func(c *choices) { c.deviations = known }
}

// WithObserver tells each result as it comes.
func WithObserver(observe func(Result)) Option {
	return func(c *choices) { c.observe = observe }
}

// WithReproduce tells the reader of the results how to run one check again.
// Without it, that is the subtest by its name.
func WithReproduce(command func(test string, check Check) string) Option {
	return func(c *choices) { c.reproduce = command }
}

// subtest is the command that runs a subtest again.
func subtest(test string, _ Check) string {
	return "go test -v -run '^" + strings.ReplaceAll(test, "/", "$/^") + "$'"
}

func apply(options []Option) choices {
	chosen := choices{observe: func(Result) {}, reproduce: subtest}
	for _, option := range options {
		option(&chosen)
	}
	return chosen
}
