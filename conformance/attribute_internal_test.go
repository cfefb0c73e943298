package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// What the suite writes into the event stream is what package report reads
// there: the two know each other by these attributes only.
func TestAttributesAreReadByReport(t *testing.T) {
	known := KnownDeviation{Consequence: "Rows\nare lost.", Cure: "Wait."}
	result := Result{
		Check:   Check{ID: "lag/order", Level: Must, Obligation: "It must be in order.", Source: "the manual"},
		Verdict: Deviation, Known: &known,
		Reasons: []string{"saw:\n\t2 before 1", "and more"},
		Figures: []Figure{{Name: "commit to visible", Value: 2.5, Unit: "ms"}, {Name: "rows", Value: 3}},
		Series:  []Series{{Name: "behind", X: "s", Y: "bytes", Points: [][2]float64{{0, 1}, {1, 2}}}},
		Faults:  []Window{{Fault: Stopped, Node: "standby", From: time.Second, To: 1500 * time.Millisecond}},
	}
	target := &Target{
		Name: "my\nrecipe", Provenance: []Fact{{"engine", "Docker\n28"}},
		Topology: Topology{Nodes: []TopologyNode{{Name: "db1", Role: "primary"}, {Name: "db2", Role: "standby"}}, Links: []TopologyLink{{From: "db1", To: "db2"}}},
	}
	const root, test = "TestPair", "TestPair/lag/order"
	run := &report.Run{}
	add := func(test string, attributes []attribute) {
		for _, one := range attributes {
			require.NotContains(t, one.key, " ")
			require.NotContains(t, one.value, "\n", one.key)
			run.Add(report.Event{Action: "attr", Package: "p", Test: test, Key: one.key, Value: one.value})
		}
	}
	run.Add(report.Event{Action: "run", Package: "p", Test: root})
	add(root, targetAttributes(target))
	run.Add(report.Event{Action: "run", Package: "p", Test: test})
	add(test, resultAttributes(result, "go test -run "+test))
	for _, passed := range []string{test, root, ""} {
		run.Add(report.Event{Action: "pass", Package: "p", Test: passed})
	}

	results := run.Results()
	require.Len(t, results.Targets, 1)
	told := results.Targets[0]
	assert.Equal(t, "my recipe", told.Name)
	assert.Equal(t, []report.Fact{{Name: "engine", Value: "Docker 28"}}, told.Provenance)
	require.NotNil(t, told.Topology)
	assert.Len(t, told.Topology.Nodes, 2)
	require.Len(t, told.Checks, 1)
	check := told.Checks[0]
	assert.Empty(t, check.Unreadable)
	assert.Equal(t, []string{"lag/order", "must", "It must be in order.", "the manual", "deviation"},
		[]string{check.ID, check.Level, check.Obligation, check.Source, check.Verdict})
	assert.Equal(t, []string{"saw: 2 before 1", "Rows are lost.", "Wait.", "go test -run " + test},
		[]string{check.Reason, check.Consequence, check.Cure, check.Reproduce})
	assert.Equal(t, []report.Figure{{Name: "commit-to-visible", Value: 2.5, Unit: "ms"}, {Name: "rows", Value: 3}}, check.Figures)
	assert.Equal(t, []report.Series{{Name: "behind", X: "s", Y: "bytes", Points: [][2]float64{{0, 1}, {1, 2}}}}, check.Series)
	assert.Equal(t, []report.Fault{{Name: "stop", Node: "standby", From: 1, To: 1.5}}, check.Faults)
}
