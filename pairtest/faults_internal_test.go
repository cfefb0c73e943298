package pairtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each step heals a fault; what it undoes is named, and whether it waits for
// the whole pair.
func TestFaultsThatOverlap(t *testing.T) {
	freezePrimary := fault{what: "freeze primary", takes: []Role{Primary}}
	killPrimary := fault{what: "kill primary", takes: []Role{Primary}}
	killStandby := fault{what: "kill standby", takes: []Role{Standby}, needs: []Role{Primary}}
	hold := fault{what: "hold", needs: []Role{Standby}}
	cut := fault{what: "cut"}
	promote := fault{what: "promote", takes: []Role{Standby}, starts: true}
	conflict := fault{what: "conflict", needs: []Role{Primary, Standby}}
	type step struct {
		healed *fault
		undone []string
		waits  bool
	}
	for name, test := range map[string]struct {
		struck []*fault
		steps  []step
	}{
		"one alone": {[]*fault{&hold}, []step{{&hold, []string{"hold"}, true}}},
		"the inner one does not wait": {[]*fault{&cut, &hold}, []step{
			{&hold, []string{"hold"}, false}, {&cut, []string{"cut"}, true},
		}},
		"a standby is not made from a frozen primary": {[]*fault{&freezePrimary, &killStandby}, []step{
			{&killStandby, nil, false}, {&freezePrimary, []string{"freeze primary", "kill standby"}, true},
		}},
		"an outer one that is healed early": {[]*fault{&hold, &killStandby}, []step{
			{&hold, nil, false}, {&killStandby, []string{"kill standby", "hold"}, true},
		}},
		"what needs both waits for both": {[]*fault{&conflict, &killPrimary, &promote}, []step{
			{&conflict, nil, false}, {&killPrimary, []string{"kill primary"}, false}, {&promote, []string{"promote", "conflict"}, true},
		}},
		"failover brings up the old primary": {[]*fault{&killPrimary, &promote}, []step{
			{&promote, []string{"promote"}, true}, {&killPrimary, []string{"kill primary"}, true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var pair faults
			for _, one := range test.struck {
				pair.begin(one)
			}
			for _, step := range test.steps {
				due, last := pair.end(step.healed)
				var undone []string
				for _, one := range due {
					undone = append(undone, one.what)
				}
				assert.Equal(t, step.undone, undone, "heal %s", step.healed.what)
				assert.Equal(t, step.waits, last, "heal %s", step.healed.what)
			}
		})
	}
}
