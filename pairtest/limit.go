package pairtest

import (
	"context"
	"testing"
	"time"
)

const (
	// startLimit bounds the making of a pair, the pull of its image included,
	// for a test that has no deadline of its own.
	startLimit = 4 * time.Minute
	// removeLimit bounds its removal, and the healing of a fault.
	removeLimit = time.Minute
	// farewell is what a test with a deadline keeps of it to say what went
	// wrong, and to clean up.
	farewell = 10 * time.Second
)

// starting bounds the making of a pair or database.
func starting(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	if end, known := deadline(tb); known {
		return context.WithDeadline(tb.Context(), end)
	}
	return context.WithTimeout(tb.Context(), startLimit)
}

// migrating bounds what a migration does, which only its author knows, by the
// test's deadline alone.
func migrating(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	if end, known := deadline(tb); known {
		return context.WithDeadline(tb.Context(), end)
	}
	return context.WithCancel(tb.Context())
}

func deadline(tb testing.TB) (end time.Time, known bool) {
	tb.Helper()
	timed, ok := tb.(interface{ Deadline() (time.Time, bool) }) // a benchmark is not
	if !ok {
		return time.Time{}, false
	}
	end, known = timed.Deadline()
	return end.Add(-farewell), known
}
