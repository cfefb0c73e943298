package conformance

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ErrSelection says that a choice of checks cannot be used.
var ErrSelection = errors.New("choice of checks cannot be used")

// Profiles names the profiles, the widest last.
func Profiles() []string { return []string{"core", "usual", "faults", "all"} }

// Profile gives the checks of a profile: "core" is what a pair owes its users
// while nothing breaks, "faults" when something does, "all" is both and good
// practice, "usual" is the core and those faults that take seconds. Errors are
// ErrSelection.
func Profile(name string) ([]Check, error) {
	switch name {
	case "core":
		return Core(), nil
	case "usual":
		return Usual(), nil
	case "faults":
		return Faults(), nil
	case "all":
		return All(), nil
	}
	return nil, fmt.Errorf("choose profile %q: %w: the profiles are %s", name, ErrSelection, strings.Join(Profiles(), ", "))
}

// Select keeps the checks that one of some patterns names, in their order. A
// pattern is an id, or holds wildcards as in path.Match, such as slot/*; a
// chapter alone is all of its checks. A pattern that names no check is
// ErrSelection, with the ids that come nearest.
func Select(checks []Check, patterns ...string) ([]Check, error) {
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "/") {
			pattern += "/*"
		}
		found := false
		for _, check := range checks {
			matches, err := path.Match(pattern, check.ID)
			if err != nil {
				return nil, fmt.Errorf("choose checks by %q: %w: %w", pattern, ErrSelection, err)
			}
			if matches {
				found, wanted[check.ID] = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("choose checks by %q: %w: no such check; near it: %s",
				pattern, ErrSelection, strings.Join(nearest(pattern, checks), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(checks), func(check Check) bool { return !wanted[check.ID] }), nil
}

// nearest gives the ids that take the fewest changes to become a wrong one.
func nearest(wrong string, checks []Check) []string {
	const many = 3
	ids := make([]string, 0, len(checks))
	for _, check := range checks {
		ids = append(ids, check.ID)
	}
	slices.SortStableFunc(ids, func(a, b string) int { return distance(wrong, a) - distance(wrong, b) })
	return ids[:min(many, len(ids))]
}

// distance counts the bytes to insert, delete or replace between two words.
func distance(from, to string) int {
	row := make([]int, len(to)+1)
	for i := range row {
		row[i] = i
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			change := diagonal
			if from[i] != to[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
