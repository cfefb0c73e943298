package conformance

import (
	"context"
	"strings"
)

// Option changes how checks are run.
type Option func(*choices)

type choices struct {
	deviations Deviations
	announce   func(Check)
	observe    func(Result)
	witness    func(context.Context, Check, *Target) string
	reproduce  func(test string, check Check) string
	patience   float64
	keep       bool
}

// WithDeviations gives failures that are known a verdict of their own, and
// fails those that no longer happen.
func WithDeviations(known Deviations) Option {
	return func(c *choices) { c.deviations = known }
}

// WithAnnouncer tells each check before it is executed; one that is skipped is
// not. Checks that run beside one another are told of at the same time.
func WithAnnouncer(announce func(Check)) Option {
	return func(c *choices) { c.announce = announce }
}

// WithObserver tells each result as it comes.
func WithObserver(observe func(Result)) Option {
	return func(c *choices) { c.observe = observe }
}

// WithWitness has somebody look at the servers of a check that has failed,
// before they are mended or removed. What it gives is told with the result.
func WithWitness(look func(ctx context.Context, check Check, target *Target) (note string)) Option {
	return func(c *choices) { c.witness = look }
}

// WithReproduce tells the reader of the results how to run one check again.
// Without it, that is the subtest by its name.
func WithReproduce(command func(test string, check Check) string) Option {
	return func(c *choices) { c.reproduce = command }
}

// WithTimeoutFactor makes the time limits of the checks longer on a slow
// machine. Times that are an obligation themselves, such as how soon a row must
// be visible, stay.
func WithTimeoutFactor(factor float64) Option {
	return func(c *choices) { c.patience = factor }
}

// KeepFailed leaves the servers as they are when a check has failed on them:
// from then on checks that would break them or make them anew are skipped.
func KeepFailed() Option {
	return func(c *choices) { c.keep = true }
}

// subtest is the command that runs a subtest again.
func subtest(test string, _ Check) string {
	return "go test -v -run '^" + strings.ReplaceAll(test, "/", "$/^") + "$'"
}

func apply(options []Option) choices {
	chosen := choices{announce: func(Check) {}, observe: func(Result) {}, reproduce: subtest, patience: 1}
	for _, option := range options {
		option(&chosen)
	}
	return chosen
}
