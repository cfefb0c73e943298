package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAdvice holds the checks that are not in the core profile to the rules
// of those that are, and to names of their own.
func TestAdvice(t *testing.T) {
	seen := map[string]bool{}
	for _, check := range slices.Concat(accessChecks(), settingsChecks(), standbyChecks(),
		accessAdvice(), settingsAdvice(), standbyAdvice()) {
		require.False(t, seen[check.ID], check.ID)
		seen[check.ID] = true
		require.Contains(t, []string{"access", "settings", "standby"}, check.Chapter())
		require.NotEmpty(t, check.Name())
		require.NotEmpty(t, check.Source, check.ID)
		require.NotNil(t, check.Run, check.ID)
		require.Contains(t, check.Obligation, " "+string(check.Level)+" ", check.ID)
		require.True(t, strings.HasSuffix(check.Obligation, "."), check.ID)
	}
}
