package conformance

import (
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// durableCommitsSQL makes an acknowledged commit a flushed one, whatever the
// server's default: only then does Replay wait for it.
const durableCommitsSQL = `SET synchronous_commit = local`

// writer begins the check's session on the primary, whose acknowledged commits
// are flushed, and those on the standbys.
func (c *C) writer() *Session {
	c.borrowSessions()
	session := c.OnPrimary()
	session.Do(durableCommitsSQL)
	return session
}

// borrowSessions has OnPrimary and OnStandby give sessions of the pools:
// logging in would take longer than most of these checks.
func (c *C) borrowSessions() {
	c.Schema()
	for _, node := range c.Pair().Nodes() {
		c.sessions[node] = c.Borrow(node)
	}
}

// wantSame asks every node for the only column, of type text, of a query once
// the standbys have replayed what the primary has written. The primary must
// give want, or there is nothing to compare, and each standby must too.
func (c *C) wantSame(what string, want []string, sql string, arguments ...any) {
	c.Replay()
	for i, got := range c.askNodes(sql, arguments...) {
		if difference := firstDifference(want, got); difference != "" {
			c.Errorf("%s: %s, by %q: %s", what, c.Pair().Nodes()[i].Name(), shorten(sql), difference)
		}
	}
}

// same is wantSame for rows that the check cannot know beforehand. It gives
// the primary's rows; none at all would prove nothing and ends the check.
func (c *C) same(what, sql string, arguments ...any) []string {
	c.Replay()
	answers := c.askNodes(sql, arguments...)
	primary, nodes := answers[0], c.Pair().Nodes()
	if len(primary) == 0 {
		c.Fatalf("%s: nothing to compare: %q gives no row on %s", what, shorten(sql), nodes[0].Name())
	}
	for i, got := range answers[1:] {
		if difference := firstDifference(primary, got); difference != "" {
			c.Errorf("%s: %s is not as %s, by %q: %s", what, nodes[i+1].Name(), nodes[0].Name(), shorten(sql), difference)
		}
	}
	return primary
}

// askNodes asks all nodes at the same time, the primary first.
func (c *C) askNodes(sql string, arguments ...any) [][]string {
	nodes := c.Pair().Nodes()
	answers := make([][]string, len(nodes))
	errs := make([]error, len(nodes))
	var asking sync.WaitGroup
	for i, node := range nodes {
		session := c.on(node)
		asking.Go(func() {
			rows, err := session.Query(c.ctx, sql, arguments...)
			if err != nil {
				errs[i] = err
				return
			}
			answers[i], errs[i] = pgx.CollectRows(rows, pgx.RowTo[string])
		})
	}
	asking.Wait()
	for i, err := range errs {
		if err != nil {
			c.Fatalf("%s: %s: %v", nodes[i].Name(), shorten(sql), err)
		}
	}
	return answers
}

// firstDifference says where got departs from want, or "".
func firstDifference(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("row %d is %q, must be %q", i+1, shorten(got[i]), shorten(want[i]))
		}
	}
	switch {
	case len(got) > len(want):
		return fmt.Sprintf("%d rows, must be %d; the first too many is %q", len(got), len(want), shorten(got[len(want)]))
	case len(got) < len(want):
		return fmt.Sprintf("%d rows, must be %d; the first missing is %q", len(got), len(want), shorten(want[len(got)]))
	}
	return ""
}

// shorten makes text fit for a message: one line of at most 300 characters.
func shorten(text string) string {
	const limit = 300
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
