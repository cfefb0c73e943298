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

func TestWrongCollations(t *testing.T) {
	const name = "database mydatabase"
	for title, test := range map[string]struct {
		here, primary collation
		wrong         string // a part of what is said, empty for nothing
	}{
		"one library everywhere":         {collation{name, "2.36", "2.36"}, collation{name, "2.36", "2.36"}, ""},
		"libraries without versions":     {collation{name, "", ""}, collation{name, "", ""}, ""},
		"refreshed on the same library":  {collation{name, "2.41", "2.41"}, collation{name, "2.41", "2.41"}, ""},
		"another library on the standby": {collation{name, "2.36", "2.41"}, collation{name, "2.36", "2.36"}, `"2.41", on the primary "2.36"`},
		"another library everywhere":     {collation{name, "2.36", "2.41"}, collation{name, "2.36", "2.41"}, `"2.41", made with "2.36"`},
		"musl beside glibc":              {collation{name, "", "2.36"}, collation{name, "", ""}, `"2.36", on the primary ""`},
		"glibc beside musl":              {collation{name, "2.36", ""}, collation{name, "2.36", "2.36"}, `"", made with "2.36"`},
		"not on the primary any more":    {collation{name, "", "2.36"}, collation{"database other", "", ""}, ""},
	} {
		t.Run(title, func(t *testing.T) {
			wrong := wrongCollations([]collation{test.here}, []collation{test.primary})
			if test.wrong == "" {
				require.Empty(t, wrong)
				return
			}
			require.NotEmpty(t, wrong)
			require.Contains(t, wrong[0]+wrong[len(wrong)-1], test.wrong)
		})
	}
}
