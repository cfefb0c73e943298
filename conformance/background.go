package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// background is something that a session does while the check goes on: a
// commit that waits for a standby, a read that replay runs into. The session
// is in use until it has ended.
type background struct {
	session *Session
	what    string
	ended   chan struct{}
	err     error // once it has ended
}

// start executes a statement in the background. It is abandoned after the
// check at the latest.
func (s *Session) start(sql string, arguments ...any) *background {
	return s.background(sql, func(ctx context.Context) error {
		_, err := s.Exec(ctx, sql, arguments...)
		return err
	})
}

// listen hears what the server says to a session that asks nothing, such as
// why it disconnects.
func (s *Session) listen() *background {
	return s.background("listen", func(ctx context.Context) error {
		_, err := s.WaitForNotification(ctx)
		return err
	})
}

func (s *Session) background(what string, do func(context.Context) error) *background {
	ctx, cancel := context.WithCancel(s.c.ctx)
	started := &background{session: s, what: what, ended: make(chan struct{})}
	go func() {
		defer close(started.ended)
		started.err = do(ctx)
	}()
	s.c.Cleanup(func(context.Context) error {
		cancel()
		<-started.ended
		return nil
	})
	return started
}

// over says whether it has ended.
func (b *background) over() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// wait gives the error with which it ended. It must end in time.
func (b *background) wait(within time.Duration) error {
	timeout := time.NewTimer(b.session.c.scaled(within))
	defer timeout.Stop()
	select {
	case <-b.ended:
	case <-b.session.c.ctx.Done():
		b.session.c.Fatalf("%s: %s has not ended: %v", b.session.node.Name(), b.what, context.Cause(b.session.c.ctx))
	case <-timeout.C:
		b.session.c.Fatalf("%s: %s has not ended after %s; its backend: %+v", b.session.node.Name(), b.what, within,
			b.session.c.backend(b.session.node, b.session.PgConn().PID()))
	}
	return b.err
}

// answer gives the server's error with which it ended. It must end in time,
// and with an error of the server.
func (b *background) answer(within time.Duration) *pgconn.PgError {
	err := b.wait(within)
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		b.session.c.Fatalf("%s: %s ended with %v, must end with an error of the server", b.session.node.Name(), b.what, err)
	}
	return answer
}

// backendState is what pg_stat_activity says of a server process.
type backendState struct {
	State     string `db:"state"`
	WaitType  string `db:"wait_type"`
	WaitEvent string `db:"wait_event"`
}

const (
	backendStateSQL = `
SELECT COALESCE(state, '') AS state, COALESCE(wait_event_type, '') AS wait_type, COALESCE(wait_event, '') AS wait_event
  FROM pg_stat_activity WHERE pid = $1`
	// startupStateSQL is the process that replays WAL.
	startupStateSQL = `
SELECT '' AS state, COALESCE(wait_event_type, '') AS wait_type, COALESCE(wait_event, '') AS wait_event
  FROM pg_stat_activity WHERE backend_type = 'startup'`
)

// backend tells what a server process does; one that is gone has no state.
func (c *C) backend(node *pair.Node, pid uint32) backendState {
	found, err := pair.Rows[backendState](c.ctx, node, backendStateSQL, pid)
	if err != nil {
		return backendState{State: err.Error()}
	}
	if len(found) == 0 {
		return backendState{State: "gone"}
	}
	return found[0]
}

// waitsFor waits until a session's backend waits for an event.
func (s *Session) waitsFor(event string) {
	s.c.Eventually(fmt.Sprintf("backend of %s waits for %s", s.node.Name(), event), factLimit, func(context.Context) (bool, string, error) {
		seen := s.c.backend(s.node, s.PgConn().PID())
		return seen.WaitEvent == event, fmt.Sprintf("%+v", seen), nil
	})
}

// factLimit is how long a check waits for what it has brought about: seconds
// where a machine is busy, milliseconds elsewhere.
const factLimit = 30 * time.Second
