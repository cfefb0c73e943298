package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Servers that are somebody's are broken where that heals, and never removed.
func TestChecksThatSpareLastingServers(t *testing.T) {
	const spared = "needs servers that may be removed with their data and made anew"
	lasting := &Target{Lasting: true, Operator: struct{ Operator }{}, Pair: &pair.Pair{Standbys: []*pair.Node{nil}}}
	own := &Target{Operator: lasting.Operator, Pair: lasting.Pair}
	for name, test := range map[string]struct {
		target *Target
		check  Check
		want   string
	}{
		"what heals":               {lasting, Check{Needs: Needs{Operator: true}, Disturbs: true}, ""},
		"what removes them":        {lasting, Check{Needs: Needs{Operator: true}.disposable()}, spared},
		"what leaves no pair":      {lasting, Check{Needs: Needs{Operator: true}, Consumes: true}, spared},
		"what removes a run's own": {own, Check{Needs: Needs{Operator: true}.disposable(), Consumes: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			runner := &runner{target: test.target}
			assert.Equal(t, test.want, runner.unmet(test.check))
			assert.Equal(t, test.target == own, runner.disposable(), "whether servers are made anew after a check that broke them")
		})
	}
}
