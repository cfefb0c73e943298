package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConninfoNamesOthers(t *testing.T) {
	t.Setenv("PGHOST", "elsewhere")
	t.Setenv("PGUSER", "somebody")
	for name, row := range map[string]struct{ conninfo, others string }{
		"as it streams":           {"user=replicator host=primary", ""},
		"one of several hosts":    {"user=replicator host=away,primary", ""},
		"as a URL":                {"postgres://replicator@primary/", ""},
		"files of the server":     {"user=replicator host=primary sslmode=verify-full sslrootcert=/absent passfile=/absent", ""},
		"an address for the host": {"user=replicator hostaddr=10.0.0.7 host=primary", ""},
		"no host":                 {"user=replicator", ""},
		"no role":                 {"host=primary", ""},
		"another host":            {"user=replicator host=away", "host away"},
		"another role":            {"user=other host=primary", "role other"},
		"another address":         {"user=replicator hostaddr=10.0.0.7", "host 10.0.0.7"},
	} {
		t.Run(name, func(t *testing.T) {
			others, err := namesOthers(row.conninfo, "primary", "replicator")
			require.NoError(t, err)
			require.Equal(t, row.others, others)
		})
	}
	others, err := namesOthers("user=replicator hostaddr=10.0.0.7", "10.0.0.7", "replicator")
	require.NoError(t, err)
	require.Empty(t, others, "without a host, the address is what the receiver shows")
}
