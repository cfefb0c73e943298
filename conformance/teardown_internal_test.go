package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDamageLogged(t *testing.T) {
	for line, damage := range map[string]bool{
		`2026-01-02 03:04:05.678 UTC [77] PANIC:  could not write to file "pg_wal/xlogtemp.77": No space left on device`:             true,
		`2026-01-02 03:04:05.678 UTC [77] WARNING:  page verification failed, calculated checksum 1 but expected 2`:                  true,
		`2026-01-02 03:04:05.678 UTC [77] ERROR:  invalid page in block 7 of relation base/5/16384`:                                  true,
		`2026-01-02 03:04:05.678 UTC [77] ERROR:  could not read block 7 in file "base/5/16384": read only 0 of 8192 bytes`:          true,
		`2026-01-02 03:04:05.678 UTC [77] ERROR:  could not read blocks 7..9 in file "base/5/16384": read only 0 of 8192 bytes`:      true,
		`app=psql FATAL:  could not read block 7 in file "base/5/16384": Input/output error`:                                         true,
		`2026-01-02 03:04:05.678 UTC [77] LOG:  database system is ready to accept connections`:                                      false,
		`2026-01-02 03:04:05.678 UTC [77] FATAL:  could not receive data from WAL stream: server closed the connection unexpectedly`: false,
		`2026-01-02 03:04:05.678 UTC [77] STATEMENT:  SELECT 'invalid page in block'`:                                                false,
		`2026-01-02 03:04:05.678 UTC [77] DETAIL:  PANIC is a word`:                                                                  false,
	} {
		require.Equal(t, damage, damageLogged.MatchString("first\n"+line+"\nlast"), line)
	}
}

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
