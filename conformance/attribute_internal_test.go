package conformance

import (
	"fmt"
	"strings"
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

// go test -json takes a longer line for output: what it says is lost to the report.
func TestLongestAttributesReachTheStream(t *testing.T) {
	c := &C{}
	var points [][2]float64
	for i := range 36000 {
		points = append(points, [2]float64{float64(i) / 300.7, float64(i) * 12345678.9012345})
	}
	c.Series("bytes that the standby has not replayed", "s", "bytes", points)
	require.Len(t, c.series, 1)
	result := Result{
		Check: Check{ID: "lag/order"}, Verdict: Fail, Reasons: []string{strings.Repeat("naïve ", 4000)},
		Known: &KnownDeviation{Consequence: strings.Repeat("a", 5000), Cure: strings.Repeat("b", 5000)}, Series: c.series,
	}
	target := &Target{Name: "many", Provenance: []Fact{{"image", strings.Repeat("c", 5000)}}}
	for i := range 16 {
		target.Topology.Nodes = append(target.Topology.Nodes, TopologyNode{
			Name: fmt.Sprint("standby", i), Role: "standby", Version: "15.8", Image: strings.Repeat("image", 50), Ports: []string{"127.0.0.1:5432"},
		})
		target.Topology.Links = append(target.Topology.Links, TopologyLink{From: "primary", To: fmt.Sprint("standby", i), Slot: "slot", State: "streaming"})
	}
	const test = "TestRecipeFaults/partition/standby-comes-back-after-a-long-time-without-its-primary"
	run := &report.Run{}
	run.Add(report.Event{Action: "run", Package: "p", Test: test})
	for _, one := range append(targetAttributes(target), resultAttributes(result, "again")...) {
		assert.LessOrEqual(t, len("\x16=== ATTR  "+test+" "+one.key+" "+one.value+"\n"), 4096, one.key)
		run.Add(report.Event{Action: "attr", Package: "p", Test: test, Key: one.key, Value: one.value})
	}
	told := run.Results().Targets[0]
	require.NotNil(t, told.Topology)
	assert.Len(t, told.Topology.Nodes, 16)
	check := told.Checks[0]
	require.Len(t, check.Series, 1)
	assert.Greater(t, len(check.Series[0].Points), 100)
	last := points[len(points)-1]
	assert.InDeltaSlice(t, last[:], check.Series[0].Points[len(check.Series[0].Points)-1][:], 0.001)
	assert.True(t, strings.HasSuffix(check.Reason, "…"), check.Reason)
	assert.NotContains(t, check.Reason, "\ufffd")
}
