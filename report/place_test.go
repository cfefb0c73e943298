package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// A failure is shown where the rule stands, not where the runner logged it.
func TestCheckIsPlacedWhereItSays(t *testing.T) {
	run := &report.Run{}
	for _, event := range []report.Event{
		{Action: "run", Package: "p", Test: "T/slot/named"},
		{Action: "attr", Package: "p", Test: "T/slot/named", Key: "check.id", Value: "slot/named"},
		{Action: "attr", Package: "p", Test: "T/slot/named", Key: "check.verdict", Value: "fail"},
		{Action: "attr", Package: "p", Test: "T/slot/named", Key: "check.obligation", Value: "It must."},
		{Action: "attr", Package: "p", Test: "T/slot/named", Key: "check.place", Value: "conformance/slot.go:12"},
		{Action: "output", Package: "p", Test: "T/slot/named", Output: "    run.go:70: fail: It must.\n"},
		{Action: "fail", Package: "p", Test: "T/slot/named"},
	} {
		run.Add(event)
	}
	targets := run.Results().Targets
	require.Len(t, targets, 1)
	require.Len(t, targets[0].Checks, 1)
	check := targets[0].Checks[0]
	assert.Equal(t, "conformance/slot.go", check.File)
	assert.Equal(t, 12, check.Line)
}
