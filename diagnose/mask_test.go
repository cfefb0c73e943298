package diagnose_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// TestPasswordsOfTheRecipeAreHidden goes by the names of variables: what one
// calls a password is none where it is a name too.
func TestPasswordsOfTheRecipeAreHidden(t *testing.T) {
	const says = "login with hunter2 failed"
	for name, test := range map[string]struct {
		variables map[string]string
		hidden    bool
	}{
		"POSTGRES_PASSWORD": {map[string]string{"POSTGRES_PASSWORD": "hunter2"}, true},
		"DB_PASS":           {map[string]string{"DB_PASS": "hunter2"}, true},
		"PGPASS":            {map[string]string{"PGPASS": "hunter2"}, true},
		"REPLICATOR_PWD":    {map[string]string{"REPLICATOR_PWD": "hunter2"}, true},
		"API_TOKEN":         {map[string]string{"API_TOKEN": "hunter2"}, true},
		"another variable of that value": {
			map[string]string{"POSTGRES_PASSWORD": "hunter2", "SEED": "hunter2", "PGPASSFILE": "hunter2"}, true,
		},
		"the role's name too":     {map[string]string{"POSTGRES_PASSWORD": "hunter2", "POSTGRES_USER": "hunter2"}, false},
		"the database's name too": {map[string]string{"POSTGRES_PASSWORD": "hunter2", "POSTGRES_DB": "hunter2"}, false},
		"a file's path":           {map[string]string{"POSTGRES_PASSWORD_FILE": "hunter2"}, false},
		"a folder":                {map[string]string{"PWD": "hunter2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			evidence := &diagnose.Evidence{Servers: []diagnose.Server{{Service: diagnose.Service{Name: "db", Environment: test.variables}}}}
			if test.hidden {
				assert.Equal(t, "login with *** failed", evidence.Hide(says))
			} else {
				assert.Equal(t, says, evidence.Hide(says))
			}
		})
	}
	assert.Equal(t, "login with *** failed", (&diagnose.Evidence{Secrets: []string{"hunter2"}}).Hide(says), "one that was read from a file")
	assert.Equal(t, "DB_PASS=*** REPL_PWD: ***", (&diagnose.Evidence{}).Hide("DB_PASS=hunter2 REPL_PWD: hunter2"), "one that shows by its form")
}
