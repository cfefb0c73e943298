package conformance

// Option changes how checks are run.
type Option func(*choices)

type choices struct {
	deviations Deviations
	observe    func(Result)
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

func apply(options []Option) choices {
	chosen := choices{observe: func(Result) {}}
	for _, option := range options {
		option(&chosen)
	}
	return chosen
}
