package stack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A variable that nobody sets is empty, as compose has it, and it is told.
func TestUnsetVariablesAreTold(t *testing.T) {
	for name, test := range map[string]struct {
		value, becomes string
		unset          []string
	}{
		"braces":                   {"${DB_PW}", "", []string{"DB_PW"}},
		"no braces":                {"$DB_PW-x", "-x", []string{"DB_PW"}},
		"several, one twice":       {"$ZONE.$DB_PW.$ZONE", "..", []string{"DB_PW", "ZONE"}},
		"set":                      {"${SET}", "value", nil},
		"set to nothing":           {"${EMPTY}", "", nil},
		"a default":                {"${DB_PW:-default}", "default", nil},
		"an empty default":         {"${DB_PW-}", "", nil},
		"another value where set":  {"${DB_PW+other}", "", nil},
		"a dollar that is no name": {"$$DB_PW", "$DB_PW", nil},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{
				Files:       []string{composeFile(t, "services: {db: {image: postgres, environment: {VALUE: "+quoted(test.value)+"}}}")},
				Environment: []string{"SET=value", "EMPTY="},
			}
			model, err := options.Load(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.becomes, model.Services["db"].Environment["VALUE"])
			assert.Equal(t, test.unset, model.Unset)
		})
	}
}
