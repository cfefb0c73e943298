package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLastState(t *testing.T) {
	const (
		ready    = "2024-11-22 23:30:02.000 UTC [1] LOG:  database system is ready to accept connections\n"
		refused  = "2024-11-22 23:30:03.000 UTC [77] FATAL:  the database system is shutting down\n"
		shutDown = "2024-11-22 23:30:04.000 UTC [1] LOG:  database system is shut down\n"
		atOnce   = "2024-11-22 23:30:03.500 UTC [1] LOG:  received immediate shutdown request\n"
		starting = "2024-11-22 23:30:05.000 UTC [1] LOG:  starting PostgreSQL 15.8 on x86_64-pc-linux-gnu\n"
		again    = "2024-11-22 23:30:06.000 UTC [1] LOG:  database system is shut down\n"
		earlier  = "2024-11-22 23:30:00.000 UTC [48] LOG:  database system is shut down\n"
	)
	for name, test := range map[string]struct {
		log   string
		clean bool
	}{
		"stopped":                          {earlier + ready + refused + shutDown, true},
		"killed":                           {earlier + ready, false},
		"killed, streams out of order":     {ready + earlier, false},
		"killed while a client was turned": {ready + refused, false},
		"stopped at once":                  {ready + atOnce + shutDown, false},
		"stopped once more, in good order": {ready + atOnce + shutDown + starting + again, true},
		"nothing logged":                   {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			last, clean := lastState(test.log)
			require.Equal(t, test.clean, clean, last)
		})
	}
}

func TestClusterMade(t *testing.T) {
	// As pg_control_system told it of a cluster whose primary logged its first start then.
	require.Equal(t, time.Date(2026, time.November, 23, 0, 3, 33, 0, time.UTC), clusterMade(7711150841201426455))
}
