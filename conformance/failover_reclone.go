package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func recloneChecks(promoted *Scene) []Check {
	needs := promotionNeeds()
	needs.Replicator = true
	return []Check{
		{
			ID: "failover/old-primary-does-not-follow",
			Obligation: "An old primary with writes of its own that is made a standby as it is must say that it cannot follow, " +
				"show nothing of the new timeline and not pass for a standby.",
			Level: Must, Needs: promotionNeeds(), Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "Timelines", "pg_rewind"`,
			Run:    oldPrimaryDoesNotFollow,
		},
		{
			ID: "failover/reclone-rejoins",
			Obligation: "An old primary must become a standby of the promoted server by a new base backup, " +
				"once a slot is there that the backup's settings name.",
			Level: Must, Needs: needs, Consumes: true, Scene: promoted, Limit: faultLimit,
			Source: `PostgreSQL documentation, "pg_basebackup": --write-recovery-conf`,
			Run:    recloneRejoins,
		},
	}
}

// notFollowing is what a standby logs when the other timeline left its own
// before the point that it has reached.
const notFollowing = "forked off current database system timeline"

func oldPrimaryDoesNotFollow(c *C) {
	const refusal = time.Second // it tries five times
	p := sceneOf[*promotion](c)
	c.needsLog(p.promoted) // and the other one logs as this one does
	c.stopForGood(p.old)
	c.follow(p.old, p.oldHome, p.promoted, "")
	c.startAgain(p.old).wait(notFollowing)
	var recovering bool
	c.Eventually(p.old.Name()+" answers", returnLimit, func(ctx context.Context) (bool, string, error) {
		var err error
		recovering, err = p.old.InRecovery(ctx)
		return err == nil, "", err
	})
	if !recovering {
		c.Fatalf("%s takes writes though it was made a standby", p.old.Name())
	}
	seen, written := Column[int](p.on(c, p.old), keptSQL), Column[int](p.on(c, p.promoted), keptSQL)
	if !slices.Contains(seen, oldRow) || slices.Contains(written, oldRow) {
		c.Fatalf("row %d must be on %s only: it has %v, %s has %v", oldRow, p.old.Name(), seen, p.promoted.Name(), written)
	}
	if slices.Contains(seen, 3) {
		c.Errorf("%s has both its own row %d and row 3 of the timeline that it cannot follow: %v", p.old.Name(), oldRow, seen)
	}
	ctx, cancel := context.WithTimeout(c.ctx, refusal)
	defer cancel()
	if err := (&pair.Pair{Primary: p.promoted, Standbys: []*pair.Node{p.old}}).WaitReady(ctx); err == nil {
		c.Errorf("%s passes for a standby of %s though it lacks its rows", p.old.Name(), p.promoted.Name())
	}
}

const (
	recloneScript = `
set -e
find "$1" -mindepth 1 -delete
pg_basebackup --pgdata "$1" --write-recovery-conf --checkpoint fast --dbname "$2"
printf '%s\n' "wal_retrieve_retry_interval = '200ms'" >> "$1/postgresql.auto.conf"
chmod 0700 "$1"`

	slotNameInForceSQL = `SELECT current_setting('primary_slot_name')`
)

func recloneRejoins(c *C) {
	const afterRow = 60
	p := sceneOf[*promotion](c)
	p.on(c, p.promoted).Do(insertKeptSQL, afterRow, "for the new clone")
	c.stopForGood(p.old)
	role := c.Replicator()
	c.mustOffline(p.old, "base backup into the data directory", logsInWith(role.Password),
		"sh", "-c", recloneScript, "sh", p.oldHome.directory, c.addressOf(p.promoted)+" user="+connectionValue(role.Role))
	began, log := time.Now(), c.startAgain(p.old)
	// The backup's settings are the promoted server's own, from when it was a
	// standby: --write-recovery-conf adds where to stream from and, without
	// --slot, leaves the slot's name as it was.
	if slot := ask[string](c, p.promoted, slotNameInForceSQL); slot != "" && !c.hasSlot(p.promoted, slot) {
		c.needsLog(p.promoted)
		log.wait(fmt.Sprintf("replication slot %q does not exist", slot))
		if _, streaming, err := p.old.WALReceiver(c.ctx); err == nil && streaming {
			c.Logf("pg_stat_wal_receiver of %s has a row all the same", p.old.Name())
		}
		if err := p.promoted.Exec(c.ctx, makeSlotSQL, slot); err != nil {
			c.Fatalf("make slot: %v", err)
		}
	}
	c.rejoined(p.promoted, p.old)
	c.Measure("rejoined", milliseconds(time.Since(began)), "ms")
	c.sameKept(p)
	if hasRow(p.on(c, p.old), oldRow) {
		c.Errorf("row %d of the old timeline is still there after the new clone", oldRow)
	}
	p.on(c, p.old).Refuses("25006", insertKeptSQL, afterRow+1, "on the new standby")
}

func (c *C) hasSlot(node *pair.Node, name string) bool {
	return slices.ContainsFunc(c.slots(node), func(slot pair.Slot) bool { return slot.Name == name })
}

// sameKept fails the check unless the old primary holds what the promoted server does.
func (c *C) sameKept(p *promotion) {
	want := Column[int](p.on(c, p.promoted), keptSQL)
	if seen := Column[int](p.on(c, p.old), keptSQL); !slices.Equal(seen, want) {
		c.Errorf("%s has rows %v, must have those of %s: %v", p.old.Name(), seen, p.promoted.Name(), want)
	}
}
