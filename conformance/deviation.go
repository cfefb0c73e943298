package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// KnownDeviation is a check that a recipe is known to fail, written down with what
// that means for its users. The list belongs to the recipe, not to the suite.
type KnownDeviation struct {
	Check       string `yaml:"check"`       // id
	Reason      string `yaml:"reason"`      // what in the recipe makes it fail
	Consequence string `yaml:"consequence"` // what its users will notice
	Cure        string `yaml:"cure"`        // what to change
}

// Deviations are the known deviations of a recipe, by check id.
type Deviations map[string]KnownDeviation

// ErrDeviations says that a list of deviations cannot be used.
var ErrDeviations = errors.New("list of deviations cannot be used")

// ReadDeviations reads a YAML list of deviations. Every entry needs all four
// fields; unknown fields, an id that stands twice, and an empty list are
// refused. Errors are ErrDeviations.
func ReadDeviations(in io.Reader) (Deviations, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read deviations: %w: %w", ErrDeviations, err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var list []KnownDeviation
	if err := decoder.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read deviations: %w: %w", ErrDeviations, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read deviations: %w: it is empty", ErrDeviations)
	}
	known := Deviations{}
	for i, one := range list {
		if one.Check == "" || one.Reason == "" || one.Consequence == "" || one.Cure == "" {
			return nil, fmt.Errorf("read deviations: %w: entry %d (%s) needs check, reason, consequence and cure",
				ErrDeviations, i+1, one.Check)
		}
		if _, twice := known[one.Check]; twice {
			return nil, fmt.Errorf("read deviations: %w: %s stands twice", ErrDeviations, one.Check)
		}
		known[one.Check] = one
	}
	return known, nil
}

// Match looks whether every deviation names a check. Errors are ErrDeviations.
func (d Deviations) Match(checks []Check) error {
	var unknown []string
	for id := range d {
		if !slices.ContainsFunc(checks, func(check Check) bool { return check.ID == id }) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("match deviations: %w: no such check: %s", ErrDeviations, strings.Join(unknown, ", "))
}

// For keeps the deviations of these checks, for a run of a part of a profile.
func (d Deviations) For(checks []Check) Deviations {
	kept := Deviations{}
	for _, check := range checks {
		if known, listed := d[check.ID]; listed {
			kept[check.ID] = known
		}
	}
	return kept
}

// judge turns a verdict into what it means where the deviation is known.
func (d Deviations) judge(result *Result) {
	known, listed := d[result.Check.ID]
	switch {
	case !listed:
	case result.Verdict == Fail:
		result.Verdict = Deviation
		result.Known = &known
		result.Reasons = append([]string{known.Reason}, result.Reasons...)
		result.Reasons = append(result.Reasons, "consequence: "+known.Consequence, "cure: "+known.Cure)
	case result.Verdict == Pass:
		result.Verdict = Fixed
		result.Reasons = []string{"listed as a known deviation (" + known.Reason + "), but it passed: take it off the list"}
	}
}
