package conformance

import (
	"context"
	"fmt"
	"strconv"

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
	c.alter(node, name, value)
	return value
}

// raiseOnPrimary gives the primary more room than its standbys have, by a
// restart, and waits until their replay is paused for it.
func (c *C) raiseOnPrimary() (value string) {
	primary := c.Pair().Primary
	value = c.changeForGood(primary, roomName, moreRoom)
	for _, standby := range c.Pair().Standbys {
		c.retryQuickly(standby)
	}
	c.Harness(c.Operator().Restart(c.ctx, primary.Name()))
	c.Eventually(fmt.Sprintf("%s is back with %s = %s", primary.Name(), roomName, value), returnLimit, func(ctx context.Context) (bool, string, error) {
		seen, err := primary.Setting(ctx, roomName)
		return seen == value, seen, err
	})
	for _, standby := range c.Pair().Standbys {
		c.Eventually("replay is paused on "+standby.Name(), returnLimit, func(ctx context.Context) (bool, string, error) {
			state, err := pair.One[string](ctx, standby, replayStateSQL)
			return state == "paused", state, err
		})
	}
	return value
}

func raisedParameterIsNoticed(c *C) {
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(standby)
	started, log := c.inspect(standby).Started, c.logFromNow(standby)
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
	log.wait(tooSmall)

	// The session may break before the answer comes.
	_ = standby.Exec(c.ctx, resumeReplaySQL)
	log.wait(tooSmallAt)
	c.mustHaveEnded(standby, started)
}

func raisedParameterHeals(c *C) {
	value := c.raiseOnPrimary()
	c.OnPrimary().Do(newTableSQL)
	table := c.Schema() + ".newer"
	for _, standby := range c.Pair().Standbys {
		c.changeForGood(standby, roomName, moreRoom)
		c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	}
	c.Measure("streams-again", milliseconds(c.StreamsAgain(c.Pair().Standby())), "ms")
	for _, standby := range c.Pair().Standbys {
		if seen := c.setting(standby, roomName); seen != value {
			c.Errorf("%s has %s = %s after its restart, was given %s", standby.Name(), roomName, seen, value)
		}
		if !ask[bool](c, standby, newTableSeenSQL, table) {
			c.Errorf("%s lacks a table that was made while its replay was paused", standby.Name())
		}
	}
}

func smallerStandbyRefuses(c *C) {
	standby := c.Pair().Standby()
	c.needsLog(standby)
	c.changeForGood(standby, roomName, -moreRoom)
	log := c.logFromNow(standby)
	c.Harness(c.Operator().Restart(c.ctx, standby.Name()))
	log.wait(tooSmallAt)
}
