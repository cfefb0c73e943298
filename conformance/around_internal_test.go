package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// gone is a connection, or an operator, that can do nothing any more.
type gone struct{ Operator }

var errGone = errors.New("broken pipe")

func (gone) Close(context.Context) error   { return errGone }
func (gone) Discard(context.Context) error { return errGone }

func TestClosingABrokenConnectionIsNoError(t *testing.T) {
	result := unitRunner().run(t.Context(), Check{ID: "unit/test", Run: func(c *C) { c.closeAfter(gone{}) }})
	assert.Equal(t, Pass, result.Verdict, "%v", result.Reasons)
}

// Servers that would be made anew are not while another check works on them.
func TestServersAreNotMadeAnewUnderAnotherCheck(t *testing.T) {
	runner := unitRunner()
	runner.target = &Target{Operator: gone{}, Pair: &pair.Pair{Primary: pair.NewNode("primary", nil)}}
	runner.wear = usedUp
	require.ErrorIs(t, runner.prepare(t.Context(), Check{}), errGone, "alone, a check has them made anew")
	assert.Zero(t, runner.working)
	runner.working = 1
	require.NoError(t, runner.prepare(t.Context(), Check{Beside: true}))
	assert.Equal(t, 2, runner.working)
	runner.inspect(t.Context(), &C{check: Check{Beside: true}})
	assert.Equal(t, 1, runner.working)
}

func TestLimitsAroundChecksAreNeverShortened(t *testing.T) {
	for name, test := range map[string]struct {
		patience float64
		want     time.Duration
	}{
		"not said":       {0, time.Minute},
		"a slow machine": {3, 3 * time.Minute},
		"a hurry":        {0.15, time.Minute},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, lengthened(time.Minute, test.patience)) })
	}
}
