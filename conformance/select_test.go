package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

func TestChecksAreChosenByPattern(t *testing.T) {
	checks := []conformance.Check{{ID: "slot/named"}, {ID: "slot/physical"}, {ID: "lag/lsn-order"}}
	for name, test := range map[string]struct {
		patterns []string
		want     []string
	}{
		"an id":                   {[]string{"slot/named"}, []string{"slot/named"}},
		"a wildcard":              {[]string{"*/*n*"}, []string{"slot/named", "lag/lsn-order"}},
		"a chapter":               {[]string{"slot"}, []string{"slot/named", "slot/physical"}},
		"several, in their order": {[]string{"lag/*", "slot/named"}, []string{"slot/named", "lag/lsn-order"}},
		"one that is named twice": {[]string{"lag", "lag/lsn-order"}, []string{"lag/lsn-order"}},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := conformance.Select(checks, test.patterns...)
			require.NoError(t, err)
			var ids []string
			for _, check := range chosen {
				ids = append(ids, check.ID)
			}
			assert.Equal(t, test.want, ids)
		})
	}
}

func TestUnknownChecksAreNamedWithTheirNeighbours(t *testing.T) {
	_, err := conformance.Select(conformance.Core(), "slot/usedby-standby")
	require.ErrorIs(t, err, conformance.ErrSelection)
	require.ErrorContains(t, err, "near it: slot/used-by-standby")
	_, err = conformance.Select(conformance.Core(), "slot/[")
	require.ErrorIs(t, err, conformance.ErrSelection)
}

func TestProfilesAreChosenByName(t *testing.T) {
	for _, name := range conformance.Profiles() {
		checks, err := conformance.Profile(name)
		require.NoError(t, err)
		assert.NotEmpty(t, checks)
	}
	_, err := conformance.Profile("everything")
	require.ErrorIs(t, err, conformance.ErrSelection)
	require.ErrorContains(t, err, "core, usual, faults, all")
}

func TestIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, check := range conformance.All() {
		assert.False(t, seen[check.ID], "%s stands twice", check.ID)
		seen[check.ID] = true
	}
}
