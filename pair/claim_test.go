package pair_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestTwoPrimariesErrorTellsSplitBrainFromTwoClusters(t *testing.T) {
	for name, test := range map[string]struct {
		other pair.Claim
		split bool
		says  string
	}{
		"a promoted standby": {
			pair.Claim{Node: "two", SystemIdentifier: 7, Timeline: 2, LSN: 0x3000060},
			true,
			"one and two: more than one server is a primary, of one cluster, split brain: " +
				"one writes timeline 1 of cluster 7 at 0/3000028; two writes timeline 2 of cluster 7 at 0/3000060",
		},
		"a stranger": {
			pair.Claim{Node: "two", SystemIdentifier: 8, Timeline: 1, LSN: 0x1000000},
			false,
			"one and two: more than one server is a primary, of two clusters: " +
				"one writes timeline 1 of cluster 7 at 0/3000028; two writes timeline 1 of cluster 8 at 0/1000000",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := &pair.TwoPrimariesError{Claims: []pair.Claim{{Node: "one", SystemIdentifier: 7, Timeline: 1, LSN: 0x3000028}, test.other}}
			assert.Equal(t, test.split, err.SplitBrain())
			require.EqualError(t, err, test.says)
			require.ErrorIs(t, err, pair.ErrTwoPrimaries)
		})
	}
}
