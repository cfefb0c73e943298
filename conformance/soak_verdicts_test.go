package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// verdicts are what came of the checks of a round, by recipe and id.
type verdicts map[string]conformance.Verdict

func (v verdicts) add(recipe string, results conformance.Results) {
	for _, result := range results {
		v[recipe+" "+result.Check.ID] = result.Verdict
	}
}

// unlike names each check that has another verdict than in the first round, or
// was run in one of both only.
func (v verdicts) unlike(first verdicts) (differences []string) {
	told := func(all verdicts, check string) string {
		if verdict, ran := all[check]; ran {
			return string(verdict)
		}
		return "no verdict"
	}
	either := maps.Clone(first)
	maps.Copy(either, v)
	for _, check := range slices.Sorted(maps.Keys(either)) {
		if now, then := told(v, check), told(first, check); now != then {
			differences = append(differences, fmt.Sprintf("%s: %s, was %s in the first round", check, now, then))
		}
	}
	return differences
}

// count says how often which verdict was given.
func (v verdicts) count() string {
	counts := map[conformance.Verdict]int{}
	for _, verdict := range v {
		counts[verdict]++
	}
	var parts []string
	for _, verdict := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[verdict], verdict))
	}
	return strings.Join(parts, ", ")
}

func TestVerdictsThatChangeAreNamed(t *testing.T) {
	first := verdicts{"recipe slot/used": conformance.Pass, "recipe lag/order": conformance.Deviation, "hardened slot/used": conformance.Pass}
	for name, test := range map[string]struct {
		now  verdicts
		want []string
	}{
		"the same": {now: maps.Clone(first)},
		"another": {
			now: verdicts{"recipe slot/used": conformance.Fail, "recipe lag/order": conformance.Deviation, "hardened slot/used": conformance.Pass},
			want: []string{
				"recipe slot/used: fail, was pass in the first round",
			},
		},
		"one is missing": {
			now:  verdicts{"recipe slot/used": conformance.Pass, "recipe lag/order": conformance.Deviation},
			want: []string{"hardened slot/used: no verdict, was pass in the first round"},
		},
		"one is new": {
			now:  verdicts{"recipe slot/used": conformance.Pass, "recipe lag/order": conformance.Deviation, "hardened slot/used": conformance.Pass, "recipe a/b": conformance.Skip},
			want: []string{"recipe a/b: skip, was no verdict in the first round"},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, test.now.unlike(first)) })
	}
}
