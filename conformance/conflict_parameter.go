package conformance

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictParameterChecks() []Check {
	const source = `PostgreSQL documentation, "Hot Standby", "Administrator's Overview"`
	needs := Needs{Operator: true, Superuser: true, Exclusive: true, Since: 14}
	return []Check{
		{
			ID: "conflict/raised-parameter-is-noticed",
			Obligation: "A standby whose primary has come to allow more connections than itself must pause replay, say so in its log " +
				"and to whoever asks it, and end when it is told to go on; the primary says that it streams.",
			Level: Must, Needs: needs, Source: source, Consumes: true, Limit: faultLimit, Run: raisedParameterIsNoticed,
		},
		{
			ID:         "conflict/raised-parameter-heals",
			Obligation: "A standby that has paused because its primary allows more connections must go on when it is restarted with as many.",
			Level:      Must, Needs: needs, Source: source, Consumes: true, Limit: faultLimit, Run: raisedParameterHeals,
		},
		{
			ID:         "conflict/smaller-standby-refuses-to-start",
			Obligation: "A standby that is started with fewer connections than its primary allows must refuse, and name the reason in its log.",
			Level:      Must, Needs: needs, Source: source, Consumes: true, Limit: faultLimit, Run: smallerStandbyRefuses,
		},
	}
}

const (
	roomName   = "max_connections"
	moreRoom   = 10
	tooSmall   = "hot standby is not possible because of insufficient parameter settings"
	tooSmallAt = "FATAL:  recovery aborted because of insufficient parameter settings"

	fixedSettingSQL = `SELECT source = 'command line' FROM pg_settings WHERE name = $1`
	newTableSQL     = `CREATE TABLE newer (id int)`
	newTableSeenSQL = `SELECT to_regclass($1) IS NOT NULL`
)

// changeForGood changes a parameter of a node for its next start, in a check
// that consumes its servers.
func (c *C) changeForGood(node *pair.Node, name string, by int) (value string) {
	if ask[bool](c, node, fixedSettingSQL, name) {
		c.Skipf("the command line of %s says what %s is", node.Name(), name)
	}
	before, err := strconv.Atoi(c.setting(node, name))
	if err != nil {
		c.Fatalf("%s of %s: %v", name, node.Name(), err)
	}
	value = strconv.Itoa(before + by)
	if err := alterSystem(c.ctx, node, fmt.Sprintf(alterSystemSetSQL, name, value)); err != nil {
		c.Fatalf("set %s of %s: %v", name, node.Name(), err)
	}
	return value
}

// raiseOnPrimary gives the primary more room than its standby has, by a
// restart, and waits until the standby's replay is paused for it.
func (c *C) raiseOnPrimary() (value string) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	if err := alterSystem(c.ctx, standby, fmt.Sprintf(alterSystemSetSQL, "wal_retrieve_retry_interval", "100ms")); err != nil {
		c.Fatalf("have %s reconnect soon: %v", standby.Name(), err)
	}
	value = c.changeForGood(primary, roomName, moreRoom)
	c.Harness(c.Operator().Restart(c.ctx, primary.Name()))
	c.Eventually(fmt.Sprintf("%s is back with %s = %s", primary.Name(), roomName, value), returnLimit, func(ctx context.Context) (bool, string, error) {
		seen, err := primary.Setting(ctx, roomName)
		return seen == value, seen, err
	})
	c.Eventually("replay is paused on "+standby.Name(), returnLimit, func(ctx context.Context) (bool, string, error) {
		state, err := pair.One[string](ctx, standby, replayStateSQL)
		return state == "paused", state, err
	})
	return value
}

func raisedParameterIsNoticed(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	started := c.inspect(standby).Started
	c.raiseOnPrimary()

	// The primary goes on, sends everything, and sees nothing but a distance.
	c.OnPrimary().Do(newTableSQL)
	written := c.write()
	var sender pair.WALSender
	c.Eventually(fmt.Sprintf("%s has flushed %s", standby.Name(), written), returnLimit, func(ctx context.Context) (ok bool, seen string, err error) {
		sender, err = c.senderTo(ctx, standby)
		return err == nil && sender.Flush >= written, "flush_lsn " + sender.Flush.String(), err
	})
	if sender.State != "streaming" || sender.Replay >= written {
		c.Errorf("%s says of %s: %s, replayed %s; must be streaming, short of %s", primary.Name(), standby.Name(), sender.State, sender.Replay, written)
	}
	table := c.Schema() + ".newer"
	if ask[bool](c, standby, newTableSeenSQL, table) || !ask[bool](c, primary, newTableSeenSQL, table) {
		c.Errorf("a table made on %s after the restart must be there, and not on %s, whose replay is paused", primary.Name(), standby.Name())
	}
	log, err := c.Operator().Logs(c.ctx, standby.Name(), started)
	c.Harness(err)
	if !strings.Contains(log, tooSmall) {
		c.Errorf("the log of %s does not say %q\n%s", standby.Name(), tooSmall, c.describe(standby))
	}

	// The session may break before the answer comes.
	_ = standby.Exec(c.ctx, resumeReplaySQL)
	c.mustLog(standby, started, tooSmallAt)
	c.mustHaveEnded(standby, started)
}

// mustLog waits until a node has logged a text.
func (c *C) mustLog(node *pair.Node, since time.Time, text string) {
	c.Eventually(fmt.Sprintf("%s logs %q", node.Name(), text), returnLimit, func(ctx context.Context) (bool, string, error) {
		log, err := c.Operator().Logs(ctx, node.Name(), since)
		if line := lastLineWith(log, hopeless[:]...); line != "" {
			c.Fatalf("%s does not log %q, its log says: %s", node.Name(), text, line)
		}
		return strings.Contains(log, text), c.describe(node), err
	})
}

func raisedParameterHeals(c *C) {
	standby := c.Pair().Standby()
	value := c.raiseOnPrimary()
	c.changeForGood(standby, roomName, moreRoom)
	c.OnPrimary().Do(newTableSQL)
	table := c.Schema() + ".newer"
	c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	c.Measure("streams-again", milliseconds(c.StreamsAgain(standby)), "ms")
	if seen := c.setting(standby, roomName); seen != value {
		c.Errorf("%s has %s = %s after its restart, was given %s", standby.Name(), roomName, seen, value)
	}
	if !ask[bool](c, standby, newTableSeenSQL, table) {
		c.Errorf("%s lacks a table that was made while its replay was paused", standby.Name())
	}
}

func smallerStandbyRefuses(c *C) {
	standby := c.Pair().Standby()
	c.changeForGood(standby, roomName, -moreRoom)
	since := time.Now()
	c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	c.mustLog(standby, since, tooSmallAt)
}
