package pairtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In whatever order faults of one kind are healed, what counts is the newest of
// those that are left, and in the end what was there before the first.
func TestLayers(t *testing.T) {
	for name, test := range map[string]struct{ order, want []string }{
		"the last one first":  {[]string{"c", "b", "a"}, []string{"b", "a", "original"}},
		"the first one first": {[]string{"a", "b", "c"}, []string{"c", "c", "original"}},
		"the middle one":      {[]string{"b", "c", "a"}, []string{"c", "a", "original"}},
	} {
		t.Run(name, func(t *testing.T) {
			value := "original"
			set := func(to string) func(context.Context) error {
				return func(context.Context) error {
					value = to
					return nil
				}
			}
			var delays layers
			struck := map[string]*layer{}
			for _, one := range []string{"a", "b", "c"} {
				struck[one] = &layer{apply: set(one)}
				delays.begin(struck[one], set(value))
				value = one
			}
			for i, one := range test.order {
				require.NoError(t, delays.end(t.Context(), struck[one]))
				assert.Equal(t, test.want[i], value, "after %s", one)
			}
			require.NoError(t, delays.end(t.Context(), struck["a"]), "it has ended")
			assert.Equal(t, "original", value)
		})
	}
}
