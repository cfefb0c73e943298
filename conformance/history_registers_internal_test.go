package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinearizable(t *testing.T) {
	write := func(value int64, outcome Outcome, began, ended int) registerUse {
		return registerUse{Client: 1, Writes: true, Value: value, Outcome: outcome, Began: time.Duration(began), Ended: time.Duration(ended)}
	}
	read := func(value int64, began, ended int) registerUse {
		return registerUse{Client: 2, Value: value, Outcome: Acknowledged, Began: time.Duration(began), Ended: time.Duration(ended)}
	}
	other := func(use registerUse) registerUse { use.Key = 1; return use }
	const violation = "not linearizable"
	for name, test := range map[string]struct {
		uses []registerUse
		says string
	}{
		"a read of what was written":                    {[]registerUse{write(1, Acknowledged, 1, 2), read(1, 3, 4)}, ""},
		"a stale read":                                  {[]registerUse{write(1, Acknowledged, 1, 2), read(0, 3, 4)}, violation},
		"an old value while the write runs":             {[]registerUse{write(1, Acknowledged, 1, 5), read(0, 3, 4)}, ""},
		"the old value again":                           {[]registerUse{write(1, Acknowledged, 1, 9), read(1, 2, 3), read(0, 4, 5)}, violation},
		"a value of another register":                   {[]registerUse{write(1, Acknowledged, 1, 2), other(read(1, 3, 4))}, violation},
		"an unknown write that was never seen":          {[]registerUse{write(1, Unknown, 1, 2), read(0, 3, 4)}, ""},
		"an unknown write that was seen late":           {[]registerUse{write(1, Unknown, 1, 2), read(0, 3, 4), read(1, 5, 6)}, ""},
		"an unknown write that was seen and taken back": {[]registerUse{write(1, Unknown, 1, 2), read(1, 3, 4), read(0, 5, 6)}, violation},
		"a refused write that was seen":                 {[]registerUse{write(1, Refused, 1, 2), read(1, 3, 4)}, violation},
		"a lost write":                                  {[]registerUse{write(1, Acknowledged, 1, 2), write(2, Acknowledged, 3, 4), read(1, 5, 6)}, violation},
		"a read that got no answer":                     {[]registerUse{{Client: 2, Value: 9, Outcome: Unknown, Began: 1, Ended: 2}, read(0, 3, 4)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := linearizable(test.uses, time.Second)
			require.NoError(t, err)
			if test.says == "" {
				assert.Empty(t, found)
				return
			}
			assert.Contains(t, found, test.says)
		})
	}
}
