package pairtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// timed is a test with a deadline of its own, or none.
type timed struct {
	testing.TB
	end   time.Time
	known bool
}

func (t timed) Deadline() (time.Time, bool) { return t.end, t.known }

func TestLimits(t *testing.T) {
	end := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		tb        testing.TB
		start     time.Time
		migration time.Time // zero is none
	}{
		"a test with a deadline":    {timed{t, end, true}, end.Add(-farewell), end.Add(-farewell)},
		"a test without":            {timed{t, time.Time{}, false}, time.Now().Add(startLimit), time.Time{}},
		"a benchmark has none ever": {struct{ testing.TB }{t}, time.Now().Add(startLimit), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := starting(test.tb)
			defer cancel()
			seen, _ := ctx.Deadline()
			assert.WithinDuration(t, test.start, seen, 5*time.Second)
			ctx, cancel = migrating(test.tb)
			defer cancel()
			seen, _ = ctx.Deadline()
			assert.WithinDuration(t, test.migration, seen, 0)
		})
	}
}

// Whoever has time to wait gets the state of a server that is slow.
func TestPatience(t *testing.T) {
	assert.Equal(t, time.Second, patience(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	assert.InDelta(t, 20, patience(ctx).Seconds(), 1, "the other server is asked too")
}
