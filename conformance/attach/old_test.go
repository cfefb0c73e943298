package attach_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
)

// A server older than the checks know cannot be had everywhere. This one only
// says that it is.
func TestOldServerIsRefused(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answerAsOld(connection) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		serving.Wait()
	})
	old := "postgres://a@" + listener.Addr().String() + "/d?sslmode=disable&default_query_exec_mode=simple_protocol"
	_, err = attach.Target(t.Context(), attach.Options{Primary: old, Standbys: []string{old}})
	require.ErrorIs(t, err, attach.ErrTooOld)
	require.ErrorContains(t, err, "it is 12.22")
}

// cell is one column of an answer.
type cell struct {
	name, value string
	kind        uint32 // oid of its type
}

// answerAsOld lets everybody in and gives one row to each query.
func answerAsOld(connection net.Conn) {
	defer connection.Close() //nolint:errcheck // the other side is gone by then
	backend := pgproto3.NewBackend(connection, connection)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	for name, value := range map[string]string{"client_encoding": "UTF8", "standard_conforming_strings": "on"} {
		backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		message, err := backend.Receive()
		query, asked := message.(*pgproto3.Query)
		if err != nil || !asked {
			return
		}
		const boolean, bigint, integer, text, moment = 16, 20, 23, 25, 1184
		row := []cell{{"database", "d", text}, {"started", "2026-01-02 03:04:05+00", moment}, {"creates", "t", boolean}, {"publishes", "", text}}
		if strings.Contains(query.String, "system_identifier") {
			row = []cell{
				{"system_identifier", "7", bigint},
				{"in_recovery", "f", boolean},
				{"timeline", "1", integer},
				{"version", "12.22", text},
				{"version_number", "120022", integer},
			}
		}
		described, values := &pgproto3.RowDescription{}, &pgproto3.DataRow{}
		for _, column := range row {
			described.Fields = append(described.Fields, pgproto3.FieldDescription{Name: []byte(column.name), DataTypeOID: column.kind, DataTypeSize: -1, TypeModifier: -1})
			values.Values = append(values.Values, []byte(column.value))
		}
		backend.Send(described)
		backend.Send(values)
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}
