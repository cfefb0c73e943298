package conformance_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// What failed becomes a list that reads back; what is known stays as it was written.
func TestFailuresAreAdopted(t *testing.T) {
	known := conformance.KnownDeviation{Check: "slot/named", Reason: "old", Consequence: "none", Cure: "rename it: soon"}
	found := conformance.Results{
		{Check: conformance.Check{ID: "slot/used", Obligation: "It must be used."}, Verdict: conformance.Fail, Reasons: []string{"saw:\n  \"nothing\"", "and more"}},
		{Check: conformance.Check{ID: "slot/named"}, Verdict: conformance.Deviation, Known: &known},
		{Check: conformance.Check{ID: "slot/kept"}, Verdict: conformance.Pass},
		{Check: conformance.Check{ID: "lag/order"}, Verdict: conformance.Error, Reasons: []string{"no verdict"}},
	}.Deviations()
	var text bytes.Buffer
	require.NoError(t, found.Write(&text))
	read, err := conformance.ReadDeviations(&text)
	require.NoError(t, err)
	assert.Equal(t, conformance.Deviations{
		"slot/named": known,
		"slot/used": {
			Check: "slot/used", Reason: `saw: "nothing"`,
			Consequence: "not promised: It must be used.", Cure: "none yet: adopted as it was found",
		},
	}, read)
}

func TestNothingToAdoptIsAnError(t *testing.T) {
	require.ErrorIs(t, conformance.Results{}.Deviations().Write(&bytes.Buffer{}), conformance.ErrDeviations)
}
