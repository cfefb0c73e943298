package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func promotedChecks(promoted *Scene) []Check {
	return []Check{
		{
			ID:         "failover/promotes",
			Obligation: "A standby that is promoted must leave recovery and take writes within 30 s.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Failover", "Recovery Control Functions": pg_promote`,
			Run:    promotes,
		},
		{
			ID:         "failover/applies-received-wal",
			Obligation: "A promotion must first apply all WAL that the standby has received, also when its replay is paused.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Recovery Control Functions": pg_wal_replay_pause; PostgreSQL's own recovery tests`,
			Run:    appliesReceivedWAL,
		},
		{
			ID:         "failover/new-timeline",
			Obligation: "A promotion must begin the next timeline, tell in its history file where, and leave no standby.signal.",
			Level:      Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Timelines", "Standby Server Operation"`,
			Run:    newTimeline,
		},
		{
			ID: "failover/sessions-survive",
			Obligation: "A session on the standby must survive the promotion and may write then; " +
				"a transaction that had begun must stay read-only.",
			Level: Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Hot Standby: User's Overview"`,
			Run:    sessionsSurvive,
		},
	}
}

func promotes(c *C) {
	p := sceneOf[*promotion](c)
	c.Measure("promotion", milliseconds(p.took), "ms")
	c.Measure("first-write", milliseconds(p.firstWrite), "ms")
	if !p.answer {
		c.Errorf("pg_promote says false: %s was not promoted within its time", p.promoted.Name())
	}
	if p.firstWrite > promotionBound {
		c.Errorf("first write %s after the call, must be within %s", p.firstWrite, promotionBound)
	}
	c.claim(p.promoted)
	p.on(c, p.promoted).Do(insertKeptSQL, 7, "in a new session")
}

func appliesReceivedWAL(c *C) {
	p := sceneOf[*promotion](c)
	if rows := Column[int](p.on(c, p.promoted), keptSQL); !slices.Contains(rows, 2) {
		c.Errorf("%s had received WAL up to %s, which holds row 2; promoted, it has only rows %v", p.promoted.Name(), p.received, rows)
	}
}

const historySQL = `SELECT pg_read_file(format('pg_wal/%s.history', $1::text))`

func newTimeline(c *C) {
	p := sceneOf[*promotion](c)
	claim := c.claim(p.promoted)
	if claim.Timeline != p.before.Timeline+1 {
		c.Errorf("%s writes timeline %d, the old primary %d: must be the next", p.promoted.Name(), claim.Timeline, p.before.Timeline)
	}
	history := ask[string](c, p.promoted, historySQL, fmt.Sprintf("%08X", claim.Timeline))
	lines := tail(history, 1)
	if len(lines) == 0 {
		c.Fatalf("history of timeline %d is empty", claim.Timeline)
	}
	// parent timeline, where it was left, why
	fields := strings.Fields(lines[0])
	if len(fields) < 2 || fields[0] != fmt.Sprint(p.before.Timeline) {
		c.Fatalf("history of timeline %d ends %q, must name timeline %d as its parent", claim.Timeline, lines[0], p.before.Timeline)
	}
	left, err := pair.ParseLSN(fields[1])
	if err != nil {
		c.Fatalf("history of timeline %d ends %q: %v", claim.Timeline, lines[0], err)
	}
	if left < p.received || left > claim.LSN {
		c.Errorf("timeline %d was left at %s: must be between %s, which the standby had received, and %s, which it has written",
			p.before.Timeline, left, p.received, claim.LSN)
	}
	if size := ask[*int64](c, p.promoted, signalSQL); size != nil {
		c.Errorf("%s still has standby.signal: its next start would make it a standby", p.promoted.Name())
	}
}

func sessionsSurvive(c *C) {
	p := sceneOf[*promotion](c)
	if p.open != nil {
		c.Errorf("a session that was open cannot write after the promotion: %v", p.open)
	}
	if p.served != p.servedAfter {
		c.Errorf("a session that was open is served by process %d, was served by %d", p.servedAfter, p.served)
	}
	if p.serializable != nil {
		c.Errorf("a session that was open cannot run a serializable transaction after the promotion: %v", p.serializable)
	}
	const readOnly = "25006"
	if pair.SQLState(p.begun) != readOnly {
		c.Errorf("a write in a transaction that began before the promotion gives %v, must fail with SQLSTATE %s", p.begun, readOnly)
	}
	if p.begunAfter != nil {
		c.Errorf("a session cannot write after its read-only transaction has ended: %v", p.begunAfter)
	}
}
