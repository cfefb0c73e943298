package conformance

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
)

// safeToRetry is how pgx reports a connection that broke while COMMIT was on its way.
type safeToRetry struct{}

func (safeToRetry) Error() string     { return "conn closed" }
func (safeToRetry) SafeToRetry() bool { return true }

func TestOutcomeOfAWrite(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want Outcome
	}{
		"no error":                             {nil, Acknowledged},
		"the statement failed":                 {&pgconn.PgError{Severity: "ERROR", Code: "25006"}, Refused},
		"the server was shut down meanwhile":   {&pgconn.PgError{Severity: "FATAL", Code: "57P01"}, Unknown},
		"the wait for a standby was cancelled": {&pgconn.PgError{Severity: "ERROR", Code: "57014"}, Unknown},
		"the connection broke":                 {io.ErrUnexpectedEOF, Unknown},
		"the driver calls it safe to retry":    {safeToRetry{}, Unknown},
		"time was up":                          {context.DeadlineExceeded, Unknown},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, outcomeOf(test.err)) })
	}
}

func TestLedgerIsSettled(t *testing.T) {
	writes := []Write{
		{ID: 1, Outcome: Acknowledged},
		{ID: 2, Outcome: Acknowledged},
		{ID: 3, Outcome: Unknown},
		{ID: 4, Outcome: Unknown},
		{ID: 5, Outcome: Refused},
		{ID: 6, Outcome: Refused},
	}
	assert.Equal(t, Account{Acknowledged: 2, Lost: []int64{2}, Undead: []int64{6}, Unknown: 2, UnknownKept: 1},
		settle(writes, []int64{1, 4, 6}))
}

func TestLongestGapIsBetweenAcknowledgements(t *testing.T) {
	ledger := &Ledger{writes: []Write{
		{Outcome: Acknowledged, Ended: 9 * time.Second}, // the first has nothing before it
		{Outcome: Acknowledged, Ended: 10 * time.Second},
		{Outcome: Unknown, Ended: 11 * time.Second},
		{Outcome: Acknowledged, Ended: 13 * time.Second},
	}}
	assert.Equal(t, 3*time.Second, ledger.LongestGap())
}
