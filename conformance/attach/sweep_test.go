package attach_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
)

// testSweep cuts off a check that cleans up nothing: what it made is found by
// its name.
func testSweep(t *testing.T, running cluster) {
	before := running.objects(t)
	for name, test := range map[string]struct {
		role string // that the run attaches as
		made []string
		left string // what cannot be removed
	}{
		"one of each kind": {
			role: administrator,
			made: []string{
				`CREATE SCHEMA %s`, `CREATE ROLE %s`, `CREATE DATABASE %s`, `SELECT pg_create_physical_replication_slot('%s')`,
			},
		},
		"something of another owner": {plain, []string{`CREATE SCHEMA %s`}, "DROP SCHEMA conformance_"},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := attach.Target(t.Context(), attach.Options{
				Primary: dsn(t, running.Primary, test.role), Standbys: []string{dsn(t, running.Standby(), test.role)},
			})
			require.NoError(t, err)
			t.Cleanup(target.Pair.Close)
			ctx, interrupt := context.WithCancel(t.Context())
			untidy := conformance.Check{ID: "unit/leaves-something", Run: func(c *conformance.C) {
				for _, sql := range test.made {
					object := c.ScratchName()
					require.NoError(c, running.Primary.Exec(c.Context(), fmt.Sprintf(sql, object)))
					if test.left != "" {
						t.Cleanup(func() {
							assert.NoError(t, running.Primary.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+object))
						})
					}
				}
				interrupt()
			}}
			results, err := conformance.Verify(ctx, target, []conformance.Check{untidy})
			assert.Empty(t, results, "what was cut off has no verdict")
			require.ErrorIs(t, err, context.Canceled)
			if test.left != "" {
				require.ErrorIs(t, err, conformance.ErrLeftBehind)
				require.ErrorContains(t, err, test.left)
				return
			}
			require.NotErrorIs(t, err, conformance.ErrLeftBehind)
			assert.Equal(t, before, running.objects(t))
		})
	}
}
