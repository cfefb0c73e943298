package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestRestoreParameter(t *testing.T) {
	refused := fmt.Errorf("execute on primary: %w", &pgconn.PgError{Code: notSupported, Message: "ALTER SYSTEM is not allowed in this environment"})
	for name, test := range map[string]struct {
		answers []error // of one attempt after the other, the last of all others
		limited int     // attempts until time is up; 0 is no limit
		tidy    bool
	}{
		"put back at once":                    {answers: []error{nil}, tidy: true},
		"put back once the server is there":   {answers: []error{errors.New("connection refused"), nil}, tidy: true},
		"nobody may set it, nor has set it":   {answers: []error{refused}, tidy: true},
		"the server does not come back in it": {answers: []error{errors.New("connection refused")}, limited: 2},
	} {
		t.Run(name, func(t *testing.T) {
			primary := pair.NewNode("primary", nil)
			c := &C{target: &Target{Pair: &pair.Pair{Primary: primary}}}
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			attempts := 0
			err := c.restoreParameter(ctx, primary, "work_mem", func(context.Context) error {
				attempts++
				if attempts == test.limited {
					giveUp()
				}
				require.LessOrEqual(t, attempts, 2, "tries again for nothing")
				return test.answers[min(attempts, len(test.answers))-1]
			})
			assert.Equal(t, test.tidy, err == nil, "%v", err)
			assert.Equal(t, test.tidy, !c.untidy)
		})
	}
}
