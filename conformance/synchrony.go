package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// synchronyChecks is the chapter "synchrony": what a commit waits for, by
// default and with synchronous standbys, and what follows from it.
func synchronyChecks() []Check {
	return slices.Concat(
		synchronyNamesChecks(),
		synchronyWaitChecks(),
		synchronyEscapeChecks(),
		synchronyModesChecks(),
	)
}

const (
	synchronousReplication = `PostgreSQL documentation, "Log-Shipping Standby Servers", "Synchronous Replication"`
	namesParameter         = "synchronous_standby_names"
)

func synchronyNeeds() Needs { return Needs{Superuser: true, Exclusive: true} }

// pauseStateNeeds is for what must know that replay stands still: before
// PostgreSQL 14 a server tells only that somebody asked for it.
func pauseStateNeeds() Needs {
	needs := synchronyNeeds()
	needs.Since = 14
	return needs
}

const (
	commitTableSQL = `CREATE TABLE committed (id int PRIMARY KEY)`
	commitRowSQL   = `INSERT INTO committed VALUES ($1)`
	commitCountSQL = `SELECT count(*) FROM %s.committed WHERE id = $1`
	commitTotalSQL = `SELECT count(*) FROM committed`
	probedTableSQL = `CREATE TABLE probed (id int)`
	probeCommitSQL = `INSERT INTO probed VALUES (1)`
	waitsForCommit = "SyncRep"
)

// commitTable makes the tables that the checks commit to, before any commit
// could come to wait.
func (c *C) commitTable() {
	primary := c.OnPrimary() // its own: a borrowed session on a standby would not outlive a fault
	primary.Do(durableCommitsSQL)
	primary.Do(commitTableSQL)
	primary.Do(probedTableSQL)
	c.Replay()
}

// committing is a session of the primary with a synchronous_commit of its own.
func (c *C) committing(mode string, options ...pair.SessionOption) *Session {
	session := c.NewSession(c.Pair().Primary, append(options, pair.WithParameter("synchronous_commit", mode),
		pair.WithParameter(victimLanguageName, "C"))...)
	session.Do(noStatementLimit)
	return session
}

// synchronous has commits wait for every standby that streams from the primary:
// nobody waits for a cascading one.
func (c *C) synchronous() {
	c.named(fmt.Sprintf("%q", c.ScratchName()), "async")
	probe := c.waitingProbe()
	c.named(fmt.Sprintf("FIRST %d (*)", len(c.followers())), "sync")
	c.write() // a standby answers at once when it has something to flush, and every wal_receiver_status_interval
	probe.released()
}

// nobody has commits wait for a standby that does not exist.
func (c *C) nobody() {
	c.named(fmt.Sprintf("%q", c.ScratchName()), "async")
	probe := c.waitingProbe()
	ask[bool](c, c.Pair().Primary, cancelSQL, probe.session.PgConn().PID())
	probe.released()
}

// waitingProbe gives a commit that waits for a standby. That the names are
// loaded is not enough: the primary's checkpointer must have seen them.
func (c *C) waitingProbe() *background {
	session := c.committing("on")
	var probe *background
	c.Eventually("a commit waits for a standby that does not exist", factLimit, func(context.Context) (bool, string, error) {
		if probe == nil || probe.over() {
			probe = session.start(probeCommitSQL)
		}
		seen := c.backend(session.node, session.PgConn().PID())
		return seen.WaitEvent == waitsForCommit, fmt.Sprintf("%+v", seen), nil
	})
	return probe
}

// named sets synchronous_standby_names and waits until every standby that
// streams from the primary has the state that follows.
func (c *C) named(names, state string) { c.namedFor(c.followers(), names, state) }

func (c *C) namedFor(standbys []*pair.Node, names, state string) {
	c.Set(c.Pair().Primary, namesParameter, names, names)
	for _, standby := range standbys {
		c.Eventually(fmt.Sprintf("with %s = %s the sync_state of %s is %s", namesParameter, names, standby.Name(), state), factLimit,
			func(ctx context.Context) (bool, string, error) {
				sender, err := c.senderTo(ctx, standby)
				return sender.SyncState == state, sender.SyncState, err
			})
	}
}

// skipWhereSynchronous is for what holds while commits wait for no standby.
func (c *C) skipWhereSynchronous() {
	primary := c.Pair().Primary
	if names := c.setting(primary, namesParameter); names != "" {
		c.Skipf("%s names synchronous standbys: %s", primary.Name(), names)
	}
}

// freeze pauses all standbys.
func (c *C) freeze() (heal func()) {
	var frozen []*Injection
	for _, standby := range c.Pair().Standbys {
		frozen = append(frozen, c.Pause(standby))
	}
	return func() {
		for _, injected := range frozen {
			injected.Heal()
		}
	}
}

// commitWaits starts a commit that must come to wait for a standby.
func (s *Session) commitWaits(id int) *background {
	commit := s.start(commitRowSQL, id)
	s.waitsFor(waitsForCommit)
	return commit
}

// released waits for the end of a commit, which must succeed.
func (b *background) released() {
	if err := b.wait(factLimit); err != nil {
		b.session.c.Errorf("%s: a commit that had to wait ended with %v", b.session.node.Name(), err)
	}
}

// rowOn counts a row on a node.
func (c *C) rowOn(node *pair.Node, id int) int64 {
	count, err := c.rowCount(c.ctx, node, id)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return count
}

func (c *C) rowCount(ctx context.Context, node *pair.Node, id int) (int64, error) {
	return pair.One[int64](ctx, node, fmt.Sprintf(commitCountSQL, pgx.Identifier{c.Schema()}.Sanitize()), id)
}

// eventuallyOn waits until a row is visible on a node.
func (c *C) eventuallyOn(node *pair.Node, id int) {
	c.Eventually(fmt.Sprintf("row %d is visible on %s", id, node.Name()), factLimit, func(ctx context.Context) (bool, string, error) {
		count, err := c.rowCount(ctx, node, id)
		return count == 1, "it is not", err
	})
}

// notices collects what a server tells a session beside its answers.
type notices struct {
	mutex sync.Mutex
	heard []pgconn.Notice
}

func (n *notices) collect(config *pgx.ConnConfig) {
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		n.mutex.Lock()
		defer n.mutex.Unlock()
		n.heard = append(n.heard, *notice)
	}
}

// has says whether a notice of some SQLSTATE was heard.
func (n *notices) has(sqlState string) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return slices.ContainsFunc(n.heard, func(notice pgconn.Notice) bool {
		return notice.SeverityUnlocalized == "WARNING" && notice.Code == sqlState
	})
}

// commitBound is generous: a commit that waits for nobody takes milliseconds.
const commitBound = 15 * time.Second
