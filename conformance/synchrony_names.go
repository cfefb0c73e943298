package conformance

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func synchronyNamesChecks() []Check {
	return []Check{
		{
			ID:         "synchrony/asynchronous-by-default",
			Obligation: "While no synchronous standby is named, standbys must be asynchronous: a commit returns while they are frozen.",
			Level:      Must, Needs: Needs{Operator: true, Exclusive: true}, Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: asynchronousByDefault,
		},
		{
			ID:         "synchrony/sync-state-follows-names",
			Obligation: "synchronous_standby_names, loaded without a restart, should decide whether a standby is sync, quorum or async.",
			Level:      Should, Needs: synchronyNeeds(), Source: synchronousReplication, Disturbs: true, Limit: faultLimit, Run: syncStateFollowsNames,
		},
	}
}

func asynchronousByDefault(c *C) {
	c.skipWhereSynchronous()
	c.commitTable()
	session := c.committing("on")
	for _, standby := range c.Pair().Standbys {
		if state := c.streamTo(standby).sender.SyncState; state != "async" {
			c.Errorf("sync_state of %s is %q though no synchronous standby is named", standby.Name(), state)
		}
	}
	heal := c.freeze()
	before := c.currentLSN()
	if err := session.start(commitRowSQL, 1).wait(commitBound); err != nil {
		c.Errorf("commit while the standbys are frozen: %v", err)
	}
	for _, sender := range c.senders() {
		if sender.SyncState != "" && sender.Flush > before {
			c.Errorf("the WAL sender with pid %d was told of %s after the freeze at %s: the commit could have waited for it", sender.PID, sender.Flush, before)
		}
	}
	heal()
	for _, standby := range c.Pair().Standbys {
		c.eventuallyOn(standby, 1)
	}
}

const syncPrioritySQL = `SELECT sync_priority FROM pg_stat_replication WHERE pid = $1`

func syncStateFollowsNames(c *C) {
	standby := c.Pair().Standby()
	own := pgx.Identifier{c.streamTo(standby).sender.ApplicationName}.Sanitize()
	other := pgx.Identifier{c.ScratchName()}.Sanitize()
	all := len(c.followers())
	for _, row := range []struct {
		names, state string
		priority     int32 // of the first standby: others may have another name
	}{
		{fmt.Sprintf("FIRST %d (*)", all), "sync", 1},
		{fmt.Sprintf("FIRST %d (%s)", all, own), "sync", 1},
		{fmt.Sprintf("FIRST %d (%s, %s)", all, other, own), "sync", 2},
		{fmt.Sprintf("ANY %d (*)", all), "quorum", 1},
		{fmt.Sprintf("ANY %d (%s, %s)", all, own, other), "quorum", 1},
		{other, "async", 0},
		{"", "async", 0},
	} {
		c.namedFor([]*pair.Node{standby}, row.names, row.state)
		// Each WAL sender loads the new names in its own time.
		fact := fmt.Sprintf("with %s = %s the sync_priority of %s is %d", namesParameter, row.names, standby.Name(), row.priority)
		c.Eventually(fact, factLimit, func(ctx context.Context) (bool, string, error) {
			sender, err := c.senderTo(ctx, standby)
			if err != nil {
				return false, "", err
			}
			seen, err := pair.One[int32](ctx, c.Pair().Primary, syncPrioritySQL, sender.PID)
			return seen == row.priority, fmt.Sprint(seen), err
		})
	}
}
