package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlanComesFromTheSeed(t *testing.T) {
	acts := []act{{Fault: Stopped}, {Fault: Killed}, {Fault: Paused}, {Fault: Paused, Standby: true}, {Fault: Isolated, Standby: true}}
	first := planned(randomFor(7, 0), acts)
	assert.Equal(t, first, planned(randomFor(7, 0), acts), "the same seed")
	assert.NotEqual(t, first, planned(randomFor(8, 0), acts))
	var faults []act
	for _, one := range first {
		assert.Positive(t, one.Hold)
		one.Hold = 0
		faults = append(faults, one)
	}
	assert.ElementsMatch(t, acts, faults, "each fault once")
}

func TestSeedFromTheEnvironment(t *testing.T) {
	t.Setenv(seedVariable, "42")
	seed, err := historySeed()
	require.NoError(t, err)
	assert.Equal(t, uint64(42), seed)

	t.Setenv(seedVariable, "many")
	_, err = historySeed()
	require.ErrorContains(t, err, seedVariable)

	t.Setenv(seedVariable, "")
	one, err := historySeed()
	require.NoError(t, err)
	other, err := historySeed()
	require.NoError(t, err)
	assert.NotEqual(t, one, other)
	assert.Less(t, one, uint64(maxSeed))
}
