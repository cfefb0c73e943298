package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServerStartsTellsTemporaryServerFromFinalOne(t *testing.T) {
	// Standard error, where the final server logs, has overtaken standard output.
	const log = `The files belonging to this database system will be owned by user "postgres".
2024-11-22 23:30:02.000 UTC [1] LOG:  starting PostgreSQL 15.8 on x86_64-pc-linux-gnu
2024-11-22 23:30:02.001 UTC [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432
2024-11-22 23:30:02.002 UTC [1] LOG:  listening on IPv6 address "::", port 5432
2024-11-22 23:30:02.003 UTC [1] LOG:  listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"
2024-11-22 23:30:00.000 UTC [48] LOG:  starting PostgreSQL 15.8 on x86_64-pc-linux-gnu
2024-11-22 23:30:00.001 UTC [48] LOG:  listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"
2024-11-22 23:30:00.900 UTC [48] LOG:  database system is shut down
PostgreSQL init process complete; ready for start up.
`
	starts := serverStarts(readLog(log))
	require.Len(t, starts, 2)
	require.NotNil(t, starts[0].socket)
	require.Equal(t, "48", starts[0].socket.pid)
	require.Nil(t, starts[0].tcp)
	require.NotNil(t, starts[1].tcp)
	require.Equal(t, "2024-11-22 23:30:02.001", starts[1].tcp.stamp)
}

func TestServerStartsSeesTemporaryServerOnTCP(t *testing.T) {
	const log = `2024-11-22 23:30:00.000 UTC [48] LOG:  starting PostgreSQL 15.8
2024-11-22 23:30:00.001 UTC [48] LOG:  listening on IPv4 address "0.0.0.0", port 5432
2024-11-22 23:30:00.002 UTC [48] LOG:  listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"
`
	starts := serverStarts(readLog(log))
	require.Len(t, starts, 1)
	require.NotNil(t, starts[0].tcp)
}

func TestReadLogKnowsEveryZone(t *testing.T) {
	for _, zone := range []string{"UTC", "CST", "+08", "+0545", "-03"} {
		entries := readLog("2024-11-22 23:30:00.000 " + zone + " [48] LOG:  starting PostgreSQL 15.8\n")
		require.Len(t, entries, 1, zone)
		require.Equal(t, "2024-11-22 23:30:00.000", entries[0].stamp)
	}
}

func TestReadLogPassesOverOtherLines(t *testing.T) {
	const log = "waiting for server to start....2024-11-22 23:30:00.000 UTC [48] LOG:  starting PostgreSQL 15.8\n" +
		"2024-11-22 23:30:00.000 UTC [49] DETAIL:  something\r\n" +
		"\tcontinued 2024-11-22\n" +
		"2024-11-22 [50] LOG:  no time\n"
	entries := readLog(log)
	require.Len(t, entries, 2)
	require.Equal(t, "starting PostgreSQL 15.8", entries[0].text)
	require.Equal(t, "49", entries[1].pid)
	require.Equal(t, "something", entries[1].text)
}
