package attach_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// testSweep runs a check that cleans up nothing: what it made is found by its name.
func testSweep(t *testing.T, running cluster) {
	before := running.objects(t)
	oneOfEachKind := []string{
		`CREATE SCHEMA %s`, `CREATE ROLE %s`, `CREATE DATABASE %s`, `SELECT pg_create_physical_replication_slot('%s')`,
		`CREATE TABLESPACE %s LOCATION ''`, `ALTER DATABASE mydatabase SET %s.a = 'of the run'`,
	}
	for name, test := range map[string]struct {
		role   string // that the run attaches as
		made   []string
		left   string // what cannot be removed
		cutOff bool   // or else it fails
	}{
		"one of each kind, cut off":  {role: administrator, made: oneOfEachKind, cutOff: true},
		"one of each kind, failed":   {role: administrator, made: oneOfEachKind},
		"something of another owner": {role: plain, made: []string{`CREATE SCHEMA %s`}, left: "DROP SCHEMA conformance_", cutOff: true},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := attach.Target(t.Context(), attach.Options{
				Primary: dsn(t, running.Primary, test.role), Standbys: []string{dsn(t, running.Standby(), test.role)},
			})
			require.NoError(t, err)
			t.Cleanup(target.Pair.Close)
			session, err := running.Primary.Connect(t.Context(), pair.WithParameter("allow_in_place_tablespaces", "on"))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, session.Close(context.WithoutCancel(t.Context()))) })
			ctx, interrupt := context.WithCancel(t.Context())
			t.Cleanup(interrupt)
			var ended time.Time
			untidy := conformance.Check{ID: "unit/leaves-something", Run: func(c *conformance.C) {
				for _, sql := range test.made {
					object := c.ScratchName()
					_, err := session.Exec(c.Context(), fmt.Sprintf(sql, object))
					require.NoError(c, err, sql)
					if test.left != "" {
						t.Cleanup(func() {
							assert.NoError(t, running.Primary.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+object))
						})
					}
				}
				ended = time.Now()
				if test.cutOff {
					interrupt()
				} else {
					c.Errorf("has made all")
				}
			}}
			results, err := conformance.Verify(ctx, target, []conformance.Check{untidy})
			t.Logf("the sweep took %s", time.Since(ended).Round(time.Millisecond))
			if test.cutOff {
				assert.Empty(t, results, "what was cut off has no verdict")
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.NoError(t, err)
				require.Equal(t, []string{"has made all"}, results[0].Reasons)
			}
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
