package conformance

import (
	"github.com/jackc/pgx/v5/pgconn"
)

func synchronyEscapeChecks() []Check {
	return []Check{
		{
			ID:         "synchrony/cancel-warns",
			Obligation: "To cancel or terminate a commit that waits for a standby should warn that it is committed locally, and so it should be.",
			Level:      Should, Needs: synchronyNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: cancelWarns,
		},
		{
			ID:         "synchrony/local-bypasses",
			Obligation: "A session with synchronous_commit = local or off should commit without a standby while others wait for one.",
			Level:      Should, Needs: synchronyNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: localBypasses,
		},
		{
			ID:         "synchrony/emptying-names-releases",
			Obligation: "Commits that wait for a standby should end when synchronous_standby_names is emptied, without a restart.",
			Level:      Should, Needs: synchronyNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: emptyingNamesReleases,
		},
	}
}

const (
	plainWarning  = "01000"
	adminShutdown = "57P01"
)

func cancelWarns(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.commitTable()
	var toCanceled, toTerminated notices
	canceled := c.committing("on", toCanceled.collect)
	terminated := c.committing("on", toTerminated.collect)
	c.nobody()

	commit := canceled.commitWaits(1)
	ask[bool](c, primary, cancelSQL, canceled.PgConn().PID())
	commit.released()
	toCanceled.mustWarn(c, plainWarning)
	if rows := c.rowOn(primary, 1); rows != 1 {
		c.Errorf("the row of a commit whose wait was canceled is not on %s", primary.Name())
	}

	commit = terminated.commitWaits(2)
	ask[bool](c, primary, terminateSQL, terminated.PgConn().PID())
	// The client never hears that its commit succeeded.
	if err := commit.wait(factLimit); err == nil {
		c.Errorf("a session that was terminated while its commit waited had success reported")
	}
	toTerminated.mustWarn(c, adminShutdown)
	c.eventuallyOn(primary, 2)
	for id := range 2 {
		c.eventuallyOn(standby, id+1)
	}
}

// mustWarn fails the check unless a warning said that the commit is local.
func (n *notices) mustWarn(c *C, sqlState string) {
	if !n.has(sqlState) {
		c.Errorf("no WARNING %s from a commit whose wait was ended; heard: %v", sqlState, n.all())
	}
}

func (n *notices) all() []pgconn.Notice {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return append([]pgconn.Notice(nil), n.heard...)
}

func localBypasses(c *C) {
	c.commitTable()
	waiting := c.committing("on")
	bypassing := map[string]*Session{"local": c.committing("local"), "off": c.committing("off")}
	c.nobody()
	commit := waiting.commitWaits(0)
	id := 0
	for mode, session := range bypassing {
		id++
		if err := session.start(commitRowSQL, id).wait(commitBound); err != nil {
			c.Errorf("commit with synchronous_commit = %s: %v", mode, err)
		}
		if rows := c.rowOn(c.Pair().Primary, id); rows != 1 {
			c.Errorf("the row of a commit with synchronous_commit = %s is not visible on the primary", mode)
		}
	}
	if commit.over() {
		c.Errorf("a commit with synchronous_commit = on has ended though its standby does not exist: %v", commit.err)
	}
	ask[bool](c, c.Pair().Primary, cancelSQL, waiting.PgConn().PID())
	commit.released()
}

func emptyingNamesReleases(c *C) {
	const waiters = 3
	c.commitTable()
	var sessions []*Session
	for range waiters {
		sessions = append(sessions, c.committing("on"))
	}
	c.nobody()
	var commits []*background
	for id, session := range sessions {
		commits = append(commits, session.commitWaits(id))
	}
	c.named("", "async")
	for id, commit := range commits {
		commit.released()
		for _, node := range c.Pair().Nodes() {
			c.eventuallyOn(node, id)
		}
	}
}
