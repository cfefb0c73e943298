package conformance_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

const oneDeviation = `
- check: slot/named
  reason: the slot has another name
  consequence: the standby waits for ever
  cure: name it
`

func TestReadDeviations(t *testing.T) {
	known, err := conformance.ReadDeviations(strings.NewReader(oneDeviation))
	require.NoError(t, err)
	assert.Equal(t, conformance.Deviations{"slot/named": {
		Check: "slot/named", Reason: "the slot has another name", Consequence: "the standby waits for ever", Cure: "name it",
	}}, known)
}

func TestReadDeviationsRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"nothing":           {"# only a remark\n", "it is empty"},
		"an empty list":     {"[]", "it is empty"},
		"no list":           {"check: slot/named", "cannot unmarshal"},
		"an unknown field":  {oneDeviation + "  excuse: none\n", "field excuse not found"},
		"a missing cure":    {strings.Replace(oneDeviation, "  cure: name it\n", "", 1), "entry 1 (slot/named) needs"},
		"the same id twice": {oneDeviation + oneDeviation, "slot/named stands twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conformance.ReadDeviations(strings.NewReader(test.text))
			require.ErrorIs(t, err, conformance.ErrDeviations)
			require.ErrorContains(t, err, test.says)
		})
	}
	cause := errors.New("disk on fire")
	_, err := conformance.ReadDeviations(iotest.ErrReader(cause))
	require.ErrorIs(t, err, cause)
}

func TestDeviationsMustNameChecks(t *testing.T) {
	known, err := conformance.ReadDeviations(strings.NewReader(oneDeviation))
	require.NoError(t, err)
	require.NoError(t, known.Match([]conformance.Check{{ID: "slot/named"}}))
	err = known.Match([]conformance.Check{{ID: "slot/other"}})
	require.ErrorIs(t, err, conformance.ErrDeviations)
	require.ErrorContains(t, err, "slot/named")
}

func FuzzReadDeviations(f *testing.F) {
	f.Add(oneDeviation)
	f.Add("- {check: a/b, reason: c, consequence: d, cure: e}")
	f.Fuzz(func(t *testing.T, text string) {
		known, err := conformance.ReadDeviations(strings.NewReader(text))
		if err != nil {
			require.ErrorIs(t, err, conformance.ErrDeviations)
			return
		}
		assert.NotEmpty(t, known)
	})
}
