package pair_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func sender(application, state string, slot *string) pair.WALSender {
	return pair.WALSender{ApplicationName: application, State: state, SlotName: slot}
}

func TestFindStandbyWithoutASlotByName(t *testing.T) {
	senders := []pair.WALSender{
		sender("pg_receivewal", "streaming", nil), sender("walreceiver", "streaming", nil), sender("second one", "streaming", nil),
		sender("f??nf", "streaming", nil),
	}
	for name, test := range map[string]struct {
		conninfo string
		want     int // index, or -1
	}{
		"the default":                     {"user=a host=b fallback_application_name=walreceiver sslmode=prefer", 1},
		"cluster_name":                    {"user=a fallback_application_name=second one sslmode=prefer", 2},
		"a name of its own":               {"user=a application_name=second one fallback_application_name=walreceiver sslmode=prefer", 2},
		"a name at the end":               {"user=a application_name=second one", 2},
		"no sender of the name":           {"user=a application_name=third fallback_application_name=walreceiver", -1},
		"a name that servers write as ??": {"user=a application_name=fünf fallback_application_name=walreceiver", 0},
		"hidden from the role":            {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := pair.FindStandby(senders, pair.WALReceiver{ConnectionInfo: test.conninfo})
			if test.want < 0 {
				assert.Nil(t, got)
				return
			}
			assert.Same(t, &senders[test.want], got)
		})
	}
	slot := "slot"
	held := []pair.WALSender{sender("another name", "streaming", &slot)}
	assert.NotNil(t, pair.FindStandby(held, pair.WALReceiver{SlotName: slot, ConnectionInfo: "application_name=a"}), "a slot tells more than a name")
}

func TestFindStandby(t *testing.T) {
	slot, other := "slot", "other"
	for name, test := range map[string]struct {
		senders []pair.WALSender
		slot    string // of the receiver
		want    int    // index, or -1
	}{
		"nobody":                              {nil, slot, -1},
		"the standby":                         {[]pair.WALSender{sender("walreceiver", "streaming", &slot)}, slot, 0},
		"a standby without a slot":            {[]pair.WALSender{sender("walreceiver", "streaming", nil)}, "", 0},
		"a base backup that holds the slot":   {[]pair.WALSender{sender("pg_basebackup", "streaming", &slot)}, slot, -1},
		"a standby that catches up":           {[]pair.WALSender{sender("walreceiver", "catchup", &slot)}, slot, -1},
		"a standby on another slot":           {[]pair.WALSender{sender("walreceiver", "streaming", &other)}, slot, -1},
		"a standby without the slot it wants": {[]pair.WALSender{sender("walreceiver", "streaming", nil)}, slot, -1},
		"the second of two": {
			[]pair.WALSender{sender("walreceiver", "streaming", &other), sender("walreceiver", "streaming", &slot)}, slot, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := pair.FindStandby(test.senders, pair.WALReceiver{SlotName: test.slot})
			if test.want < 0 {
				assert.Nil(t, got)
				return
			}
			assert.Same(t, &test.senders[test.want], got)
		})
	}
}

// silentServer accepts connections and never says anything.
func silentServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // the test is over
	return listener.Addr().String()
}

func TestDiscoverSaysWhatIsMissing(t *testing.T) {
	closed := silentListenerThatIsGone(t)
	for name, test := range map[string]struct {
		address string
		fact    string
	}{
		"nobody listens":          {closed, "server answers over TCP"},
		"a server that is silent": {silentServer(t), "server answers over TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			node, err := pair.FromDSN("primary", "postgres://user:secret@"+test.address+"/db")
			require.NoError(t, err)
			defer node.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err = pair.Discover(ctx, node)
			var missing *pair.NotReadyError
			require.ErrorAs(t, err, &missing)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, "primary", missing.Node)
			assert.Equal(t, test.fact, missing.Fact)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func silentListenerThatIsGone(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

func TestNodeReportsItsResolver(t *testing.T) {
	cause := errors.New("container is not running")
	node := pair.NewNode("standby", func(context.Context) (*pgx.ConnConfig, error) { return nil, cause })
	defer node.Close()
	_, err := node.InRecovery(t.Context())
	require.ErrorIs(t, err, cause)
	_, err = node.Connect(t.Context())
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "resolve standby")
}

func TestFromDSNHidesThePassword(t *testing.T) {
	_, err := pair.FromDSN("primary", "postgres://user:secret@host:not-a-port/db")
	require.ErrorContains(t, err, "parse connection string of primary")
	assert.NotContains(t, err.Error(), "secret")
}

func TestSQLState(t *testing.T) {
	server := &pgconn.PgError{Code: "25006"}
	assert.Equal(t, "25006", pair.SQLState(errors.Join(errors.New("wrapped"), server)))
	assert.Empty(t, pair.SQLState(errors.New("not the server's")))
	missing := &pair.NotReadyError{Node: "standby", Fact: "streams", Last: server, Cause: context.DeadlineExceeded}
	assert.Equal(t, "25006", missing.SQLState())
	require.ErrorContains(t, missing, "SQLSTATE 25006")
}

func TestReplayErrorSaysHowFarBehind(t *testing.T) {
	err := &pair.ReplayError{Node: "standby", Wanted: 0x2000, Seen: 0x1F00, Waited: time.Second, Cause: context.DeadlineExceeded}
	require.EqualError(t, err, "wait for standby to replay 0/2000: after 1s it stands at 0/1F00 (256 bytes behind): context deadline exceeded")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestPollEnds(t *testing.T) {
	failure := errors.New("broken")
	require.ErrorIs(t, pair.Poll(t.Context(), time.Millisecond, func(context.Context) (bool, error) { return false, failure }), failure)

	asked := 0
	require.NoError(t, pair.Poll(t.Context(), time.Millisecond, func(context.Context) (bool, error) {
		asked++
		return asked == 3, nil
	}))
	assert.Equal(t, 3, asked)

	cause := errors.New("given up")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Millisecond, cause)
	defer cancel()
	require.ErrorIs(t, pair.Poll(ctx, time.Millisecond, func(context.Context) (bool, error) { return false, nil }), cause)
}
