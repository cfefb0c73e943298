package conformance

import (
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// bystander is a session that is busy while another process of its server is killed.
type bystander struct {
	c     *C
	node  *pair.Node
	ended chan struct{}
	err   error // that the session ended with, once it has ended

	mutex sync.Mutex
	told  []string // SQLSTATEs of notices
}

const (
	busySQL    = `SELECT pg_sleep(600)`
	busyPIDSQL = `SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`
)

func (c *C) newBystander(node *pair.Node) *bystander {
	b := &bystander{c: c, node: node, ended: make(chan struct{})}
	session := c.NewSession(node, func(config *pgx.ConnConfig) {
		config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
			b.mutex.Lock()
			defer b.mutex.Unlock()
			b.told = append(b.told, notice.Code)
		}
	})
	pid := session.PgConn().PID()
	ctx, end := context.WithCancel(c.ctx)
	go func() {
		defer close(b.ended)
		_, b.err = session.Exec(ctx, busySQL)
	}()
	c.Cleanup(func(context.Context) error {
		end()
		<-b.ended
		return nil
	})
	c.Eventually("a session is busy", returnLimit, func(ctx context.Context) (bool, string, error) {
		busy, err := pair.One[int64](ctx, node, busyPIDSQL, pid)
		return busy == 1, "not yet", err
	})
	return b
}

// mustEndBy fails the check unless the session was told a SQLSTATE, by a
// notice or by the error that ended it. A crashed server sends it as a
// warning: its sessions have no time for more.
func (b *bystander) mustEndBy(state string) {
	select {
	case <-b.ended:
	case <-b.c.ctx.Done():
		b.c.Fatalf("session on %s outlives the crash of its server", b.node.Name())
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if pair.SQLState(b.err) != state && !slices.Contains(b.told, state) {
		b.c.Errorf("session on %s ended with %v and was told SQLSTATEs %q, must be told %s", b.node.Name(), b.err, b.told, state)
	}
}
