package conformance_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// lie changes what a server answers to a statement; nil is silence. lied says
// whether it has done so already since the last statement began.
type lie func(message pgproto3.BackendMessage, lied bool) pgproto3.BackendMessage

// altersRows changes the last byte of the last value of a result's first row.
func altersRows(message pgproto3.BackendMessage, lied bool) pgproto3.BackendMessage {
	row, ok := message.(*pgproto3.DataRow)
	if !ok || lied {
		return message
	}
	altered := &pgproto3.DataRow{Values: slices.Clone(row.Values)}
	for i := len(altered.Values) - 1; i >= 0; i-- {
		if value := bytes.Clone(altered.Values[i]); len(value) > 0 {
			value[len(value)-1] ^= 1
			altered.Values[i] = value
			return altered
		}
	}
	return message
}

// raisesPositions moves the last WAL position of each row on, by far.
func raisesPositions(message pgproto3.BackendMessage, _ bool) pgproto3.BackendMessage {
	row, ok := message.(*pgproto3.DataRow)
	if !ok {
		return message
	}
	for i := len(row.Values) - 1; i >= 0; i-- {
		if position.Match(row.Values[i]) {
			altered := &pgproto3.DataRow{Values: slices.Clone(row.Values)}
			altered.Values[i] = append([]byte("F"), row.Values[i]...)
			return altered
		}
	}
	return message
}

// position is an LSN as text; few have so many segments before them.
var position = regexp.MustCompile(`^[0-9A-F]{1,7}/[0-9A-F]{1,8}$`)

// unmasks shows something in place of what PostgreSQL hides of a connection string.
func unmasks(message pgproto3.BackendMessage, _ bool) pgproto3.BackendMessage {
	row, ok := message.(*pgproto3.DataRow)
	if !ok {
		return message
	}
	altered := &pgproto3.DataRow{}
	for _, value := range row.Values {
		if hidden := []byte("password=********"); bytes.Contains(value, hidden) {
			value = bytes.ReplaceAll(value, hidden, []byte("password=swordfish"))
		}
		altered.Values = append(altered.Values, value)
	}
	return altered
}

// confusesCodes refuses what the server refuses, with another SQLSTATE.
func confusesCodes(message pgproto3.BackendMessage, _ bool) pgproto3.BackendMessage {
	if refusal, ok := message.(*pgproto3.ErrorResponse); ok {
		other := *refusal
		other.Code = "XX000"
		return &other
	}
	return message
}

// acceptsAll says yes where the server says no.
func acceptsAll(message pgproto3.BackendMessage, _ bool) pgproto3.BackendMessage {
	if _, ok := message.(*pgproto3.ErrorResponse); ok {
		return &pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}
	}
	return message
}

// refusesAll says no where the server says yes.
func refusesAll(message pgproto3.BackendMessage, lied bool) pgproto3.BackendMessage {
	switch message.(type) {
	case *pgproto3.DataRow, *pgproto3.CommandComplete:
		if lied {
			return nil
		}
		return &pgproto3.ErrorResponse{Severity: "ERROR", Code: "25006", Message: "cannot execute this in a read-only transaction"}
	}
	return message
}

// truthful are the statements of the runner itself and of waits for replay:
// with lies in these a check would fail for nothing that it looks at.
var truthful = regexp.MustCompile(`(?i)^\s*(CREATE SCHEMA|DROP SCHEMA|DISCARD|SET statement_timeout|ROLLBACK|RESET)` +
	`|pg_current_wal_lsn\(\)::text$|pg_last_wal_replay_lsn\(\)::text$|current_setting\('synchronous_commit'\) = 'off'$|rolsuper FROM pg_roles WHERE rolname = CURRENT_USER|pg_read_all_stats|server_version_num`)

// lying is a node whose answers pass through a lie.
func lying(node *pair.Node, tell lie) *pair.Node {
	return pair.NewNode(node.Name(), func(ctx context.Context) (*pgx.ConnConfig, error) {
		config, err := node.Config(ctx)
		if err != nil {
			return nil, err
		}
		dial := config.DialFunc
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			connection, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &liar{Conn: connection, tell: tell, told: pgproto3.NewFrontend(connection, nil), statements: map[string]string{}}, nil
		}
		return config, nil
	})
}

// liar is a connection to a server whose answers are changed on the way.
type liar struct {
	net.Conn
	tell lie
	told *pgproto3.Frontend
	out  []byte // what the client has yet to read

	ready      bool              // the login is over
	lied       bool              // since the last statement began
	sent       []byte            // what the client has written of the next message
	began      bool              // the start-up message, which has no type, is sent
	statements map[string]string // prepared ones by name
	current    string
}

func (l *liar) Read(into []byte) (int, error) {
	for len(l.out) == 0 {
		message, err := l.told.Receive()
		if err != nil {
			return 0, err
		}
		if l.ready && !truthful.MatchString(l.current) {
			changed := l.tell(message, l.lied)
			l.lied = l.lied || changed != message
			message = changed
		}
		if _, ok := message.(*pgproto3.ReadyForQuery); ok {
			l.ready = true
		}
		if message == nil {
			continue
		}
		if l.out, err = message.Encode(nil); err != nil {
			return 0, err
		}
	}
	count := copy(into, l.out)
	l.out = l.out[count:]
	return count, nil
}

// Write notes the statements that pass.
func (l *liar) Write(from []byte) (int, error) {
	l.sent = append(l.sent, from...)
	for {
		typed := 1
		if !l.began {
			typed = 0
		}
		if len(l.sent) < typed+4 {
			break
		}
		length := typed + int(binary.BigEndian.Uint32(l.sent[typed:]))
		if len(l.sent) < length {
			break
		}
		if l.began {
			l.note(l.sent[0], l.sent[typed+4:length])
		}
		l.began = true
		l.sent = l.sent[length:]
	}
	return l.Conn.Write(from)
}

// note learns which statement the next answers are for.
//
// Source: PostgreSQL documentation, "Message Formats": Query, Parse, Bind.
func (l *liar) note(kind byte, body []byte) {
	parts := bytes.SplitN(body, []byte{0}, 3)
	switch kind {
	case 'Q':
		l.current, l.lied = string(parts[0]), false
	case 'P':
		l.statements[string(parts[0])] = string(parts[1])
		l.current, l.lied = string(parts[1]), false
	case 'B':
		l.current, l.lied = l.statements[string(parts[1])], false
	}
}
