package live

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// A report shows every change that was made to a recipe, in order.
func TestReportShowsEveryChange(t *testing.T) {
	var changes, shown []string
	for i := range 11 {
		changes = append(changes, "change "+strconv.Itoa(i))
	}
	run := &report.Run{}
	for _, fact := range changed(changes) {
		run.Add(report.Event{Action: "attr", Package: "p", Test: "TestRecipe", Key: "provenance." + fact.Name, Value: fact.Value})
	}
	for _, fact := range run.Results().Targets[0].Provenance {
		shown = append(shown, fact.Value)
	}
	assert.Equal(t, changes, shown)
	assert.Equal(t, []conformance.Fact{{Name: "changed.1", Value: "one"}, {Name: "changed.2", Value: "two"}}, changed([]string{"one", "two"}))
}
