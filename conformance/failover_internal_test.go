package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLossIsTheEndOfWhatWasAcknowledged(t *testing.T) {
	writes := []Write{
		{ID: 1, Outcome: Acknowledged},
		{ID: 2, Outcome: Acknowledged},
		{ID: 3, Outcome: Acknowledged},
		{ID: 4, Outcome: Acknowledged},
		{ID: 5, Outcome: Unknown},
		{ID: 6, Outcome: Acknowledged}, // by the promoted server
	}
	for name, test := range map[string]struct {
		lost []int64
		says string
	}{
		"nothing is lost":                   {nil, ""},
		"the last before the failover":      {[]int64{4}, ""},
		"the last two":                      {[]int64{3, 4}, ""},
		"an earlier one alone":              {[]int64{2}, "row 2 is lost and the later row 3 is not"},
		"a hole":                            {[]int64{2, 4}, "row 2 is lost and the later row 3 is not"},
		"one that the promoted server took": {[]int64{4, 6}, "row 6 is lost, which the promoted server itself acknowledged"},
	} {
		t.Run(name, func(t *testing.T) {
			found := holeBeforeLoss(writes, test.lost, 6)
			if test.says == "" {
				assert.Empty(t, found)
				return
			}
			assert.Contains(t, found, test.says)
		})
	}
}

func TestConnectionValueIsQuoted(t *testing.T) {
	assert.Equal(t, `'it\'s a \\ pass word'`, connectionValue(`it's a \ pass word`))
	assert.Equal(t, `''`, connectionValue(""))
}
