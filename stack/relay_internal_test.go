package stack

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShapeSaysWhenAChunkIsDue(t *testing.T) {
	came := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		shape shape
		busy  time.Duration // after it came
		size  int
		want  time.Duration // after it came
	}{
		"as it is":                {shape{}, 0, 1000, 0},
		"late":                    {shape{delay: time.Second}, 0, 1000, time.Second},
		"slow":                    {shape{rate: 1000}, -time.Hour, 500, 500 * time.Millisecond},
		"slow behind others":      {shape{rate: 1000}, 2 * time.Second, 500, 2500 * time.Millisecond},
		"late and slow":           {shape{delay: time.Second, rate: 1000}, 0, 500, 1500 * time.Millisecond},
		"late behind others":      {shape{delay: 3 * time.Second, rate: 1000}, 2 * time.Second, 500, 3500 * time.Millisecond},
		"no bound, others before": {shape{}, time.Second, 500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, test.shape.due(came, came.Add(test.busy), test.size).Sub(came))
		})
	}
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) (dial func(context.Context) (net.Conn, error)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(connection, connection) // until either end closes
				_ = connection.Close()
			}()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	}
}

// throughRelay gives a relay to a server and a connection over it.
func throughRelay(t *testing.T, dial func(context.Context) (net.Conn, error)) (*relay, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	r := newRelay(t.Context(), listener, dial)
	t.Cleanup(func() {
		require.NoError(t, r.close())
		require.NoError(t, r.close(), "closing twice is safe")
	})
	connection, err := net.Dial("tcp", listener.Addr().String()) //nolint:noctx // a connection of the test
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(20*time.Second)))
	tcp, ok := connection.(*net.TCPConn)
	require.True(t, ok)
	return r, tcp
}

// roundTrip sends bytes there and back, ends its half, and tells how long that took.
func roundTrip(t *testing.T, connection net.Conn, size int) time.Duration {
	t.Helper()
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	began := time.Now()
	go func() { _, _ = connection.Write(sent) }() // a failure shows at the other end
	got := make([]byte, size)
	_, err := io.ReadFull(connection, got)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(sent, got), "what arrives is what was sent")
	return time.Since(began)
}

func TestRelayPassesEverythingOn(t *testing.T) {
	_, connection := throughRelay(t, echo(t))
	roundTrip(t, connection, 5<<20)
	require.NoError(t, connection.CloseWrite())
	rest, err := io.ReadAll(connection)
	require.NoError(t, err, "the end of the stream is passed on")
	assert.Empty(t, rest)
}

func TestRelayDelays(t *testing.T) {
	r, connection := throughRelay(t, echo(t))
	fast := roundTrip(t, connection, 10)
	r.reshape(func(s *shape) { s.delay = 100 * time.Millisecond })
	assert.GreaterOrEqual(t, roundTrip(t, connection, 10), 200*time.Millisecond, "there and back; without delay it took %s", fast)
}

func TestRelayThrottles(t *testing.T) {
	r, connection := throughRelay(t, echo(t))
	r.reshape(func(s *shape) { s.rate = 256 << 10 })
	assert.GreaterOrEqual(t, roundTrip(t, connection, 128<<10), 450*time.Millisecond)
}

func TestRelayIsCutAndMended(t *testing.T) {
	r, connection := throughRelay(t, echo(t))
	roundTrip(t, connection, 10)
	r.reshape(func(s *shape) { s.cut = true })
	_, err := connection.Write([]byte("lost?"))
	require.NoError(t, err)
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, err = connection.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "the connection is open and silent")

	r.reshape(func(s *shape) { *s = shape{} })
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(20*time.Second)))
	got := make([]byte, 5)
	_, err = io.ReadFull(connection, got)
	require.NoError(t, err)
	assert.Equal(t, "lost?", string(got), "what was on the way arrives")
}

func TestRelayMendsWhatIsUnderWay(t *testing.T) {
	r, connection := throughRelay(t, echo(t))
	r.reshape(func(s *shape) { s.rate = 1 })
	_, err := connection.Write([]byte("under way for hours"))
	require.NoError(t, err)
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, err = connection.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the relay holds it")

	r.reshape(func(s *shape) { s.rate = 0 })
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(5*time.Second)))
	got := make([]byte, len("under way for hours"))
	_, err = io.ReadFull(connection, got)
	require.NoError(t, err)
	assert.Equal(t, "under way for hours", string(got))
}

func TestRelayEndsInAnyState(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of the test
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	dial := func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", silent.Addr().String())
	}
	for name, state := range map[string]shape{
		"as it is": {}, "cut": {cut: true}, "slow": {rate: 1}, "late": {delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r, connection := throughRelay(t, dial)
			r.reshape(func(s *shape) { s.cut, s.rate, s.delay = state.cut, state.rate, state.delay })
			require.NoError(t, connection.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
			for {
				// Until every buffer on the way is full.
				if _, err := connection.Write(make([]byte, 1<<20)); err != nil {
					break
				}
			}
		})
	}
}

func TestRelayToNobodyEndsTheConnection(t *testing.T) {
	_, connection := throughRelay(t, func(context.Context) (net.Conn, error) { return nil, net.ErrClosed })
	_, err := io.ReadAll(connection)
	require.NoError(t, err)
}
