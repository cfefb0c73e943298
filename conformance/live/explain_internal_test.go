package live

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// A start that fails is read in the logs of public builds.
func TestStartErrorTellsNoPassword(t *testing.T) {
	cause := errors.New(`connect with "host=primary password=by_its_form": no`)
	evidence := &diagnose.Evidence{
		Servers: []diagnose.Server{{
			Service: diagnose.Service{
				Name: "primary", Container: diagnose.Container{State: "running"},
				Environment: map[string]string{"POSTGRES_PASSWORD": "by_the_recipe"},
			},
			Log: []diagnose.Line{{Text: "echo by_the_recipe"}, {Text: `STATEMENT:  CREATE ROLE r PASSWORD 'by_its_form'`}},
		}},
	}
	err := explained(time.Second, cause, evidence)
	require.ErrorIs(t, err, cause)
	assert.Contains(t, err.Error(), "echo ***")
	assert.Contains(t, err.Error(), "CREATE ROLE r PASSWORD '***'")
	assert.Contains(t, err.Error(), `connect with "host=primary password=***`)
	for _, password := range []string{"by_the_recipe", "by_its_form"} {
		assert.NotContains(t, err.Error(), password)
		assert.NotContains(t, err.Servers[0].Log, password)
	}
}

// A variable that is not set may be why.
func TestStartErrorTellsUnsetVariables(t *testing.T) {
	err := &StartError{}
	assert.NotContains(t, err.Error(), "not set")
	err.Unset = []string{"DB_PW"}
	assert.Contains(t, err.Error(), "\nalso:     the variable DB_PW is not set: it is empty\n")
	err.Unset = []string{"DB_PW", "TAG"}
	assert.Contains(t, err.Error(), "\nalso:     the variables DB_PW, TAG are not set: they are empty\n")
}
