package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func slotKeepChecks() []Check {
	return []Check{
		{
			ID:         "slot/follows-flush",
			Obligation: "A slot's restart_lsn must follow what its standby has flushed, never pass it and never go back.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "pg_replication_slots", "Replication Slots"`,
			Needs:      Needs{Statistics: true},
			Run:        followsFlush,
		},
		{
			ID:         "slot/reserves-wal",
			Obligation: "The primary must keep the WAL segment that a standby's slot points at.",
			Level:      Must,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "pg_replication_slots": wal_status`,
			Run:        reservesWAL,
		},
		{
			ID:         "slot/idle-until-used",
			Obligation: "A new slot must reserve nothing until its first use, unless it was asked to, and then it must stand still while WAL is written.",
			Level:      Must,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "Replication Management Functions": pg_create_physical_replication_slot`,
			Run:        idleUntilUsed,
		},
		{
			ID:         "slot/no-xmin-without-feedback",
			Obligation: "A slot should hold back no VACUUM on the primary while its standby sends no feedback.",
			Level:      Should,
			Source:     `PostgreSQL documentation, "Hot Standby: Handling Query Conflicts", "pg_replication_slots": xmin`,
			Needs:      Needs{Statistics: true},
			Run:        noXminWithoutFeedback,
		},
		{
			ID:         "slot/standby-may-own-slots",
			Obligation: "A standby should be able to make, advance and drop slots of its own, unseen by the primary.",
			Level:      Should,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "Cascading Replication", "Replication Management Functions"`,
			Each:       true,
			Run:        standbyMayOwnSlots,
		},
	}
}

// receivedUpToSQL is how far a standby has received and flushed.
const receivedUpToSQL = `SELECT pg_last_wal_receive_lsn()::text`

func followsFlush(c *C) {
	const rounds = 3
	for _, standby := range c.Pair().Standbys {
		var last pair.LSN
		for range rounds {
			lsn := c.write()
			fact := fmt.Sprintf("restart_lsn of the slot of %s reaches %s", standby.Name(), lsn)
			c.Eventually(fact, ackLimit, func(ctx context.Context) (bool, string, error) {
				slot := c.slotOf(standby)
				// Asked after the slot: a standby never loses what it has flushed.
				received, err := pair.One[pair.LSN](ctx, standby, receivedUpToSQL)
				switch {
				case err != nil:
					return false, "", err
				case slot.Restart > received:
					c.Fatalf("restart_lsn %s of slot %q has passed %s, which is all that %s has flushed: WAL that it needs may go",
						slot.Restart, slot.Name, received, standby.Name())
				case slot.Restart < last:
					c.Fatalf("restart_lsn of slot %q went back from %s to %s", slot.Name, last, slot.Restart)
				}
				last = slot.Restart
				return slot.Restart >= lsn, fmt.Sprintf("restart_lsn %s, %s has flushed %s", slot.Restart, standby.Name(), received), nil
			})
		}
	}
}

// retention is a slot's position and the segment file that holds it.
type retention struct {
	Status  string `db:"status"`
	Restart string `db:"restart"`
	Segment string `db:"segment"`
	Kept    bool   `db:"kept"`
}

// retentionSQL asks for the file of the first byte that the slot needs: of a
// position between two files pg_walfile_name gives the one before. With its
// last digit a 1 a position is past such a boundary and in no other file;
// PostgreSQL 13 cannot add to a position.
const retentionSQL = `
SELECT COALESCE(wal_status, '') AS status,
       COALESCE(restart_lsn::text, '') AS restart,
       COALESCE(pg_walfile_name(inside), '') AS segment,
       EXISTS (SELECT FROM pg_ls_waldir() WHERE name = pg_walfile_name(inside)) AS kept
  FROM pg_replication_slots, CAST(left(restart_lsn::text, -1) || '1' AS pg_lsn) AS inside
 WHERE slot_name = $1`

func reservesWAL(c *C) {
	for _, standby := range c.followers() { // a standby cannot tell a position's file
		slot := c.slotOf(standby)
		c.write() // leaves a boundary between segments, where the name is ambiguous
		// The slot may move on, and its segment go, between the two looks of the query.
		c.Eventually(fmt.Sprintf("%s keeps the WAL of slot %q", c.Pair().Primary.Name(), slot.Name), ackLimit,
			func(ctx context.Context) (bool, string, error) {
				seen, err := pair.OneRow[retention](ctx, c.Pair().Primary, retentionSQL, slot.Name)
				// Beyond max_wal_size the status is extended, and the WAL is kept all the same.
				held := seen.Kept && (seen.Status == "reserved" || seen.Status == "extended")
				return held, fmt.Sprintf("%+v", seen), err
			})
	}
}

const (
	createSlotSQL = `SELECT slot_name::text FROM pg_create_physical_replication_slot($1, $2)`
	dropSlotSQL   = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1`
)

// newSlot makes a slot that is dropped after the check, and gives its name. A
// server may have room for the standbys' slots and for no other.
func (c *C) newSlot(node *pair.Node, reserve bool) string {
	name := c.ScratchName()
	c.Cleanup(func(ctx context.Context) error { return node.Exec(ctx, dropSlotSQL, name) })
	_, err := pair.One[string](c.ctx, node, createSlotSQL, name, reserve)
	if pair.SQLState(err) == configurationExceeded {
		c.Skipf("max_replication_slots of %s leaves no slot free: %v", node.Name(), err)
	}
	if err != nil {
		c.Fatalf("make a slot: %v", err)
	}
	return name
}

func idleUntilUsed(c *C) {
	primary := c.Pair().Primary
	idle, reserving := c.newSlot(primary, false), c.newSlot(primary, true)
	before := c.slotNamed(primary, reserving)
	if before.Restart == 0 || before.WALStatus != "reserved" && before.WALStatus != "extended" {
		c.Errorf("slot made with immediately_reserve: restart_lsn %s, wal_status %q; must reserve WAL", before.Restart, before.WALStatus)
	}
	c.write()
	c.Replay()
	if slot := c.slotNamed(primary, idle); slot.Active || slot.Restart != 0 || slot.WALStatus != "" {
		c.Errorf("slot that was never used: %+v; must be inactive, with restart_lsn and wal_status NULL", slot)
	}
	if after := c.slotNamed(primary, reserving); after.Active || after.Restart != before.Restart {
		c.Errorf("slot that reserves but is not used moved from %s to %s (active %t)", before.Restart, after.Restart, after.Active)
	}
	if seen := askRow[retention](c, primary, retentionSQL, reserving); !seen.Kept {
		c.Errorf("segment of a slot made with immediately_reserve is not in pg_wal: %+v", seen)
	}
}

const feedbackSQL = `SELECT current_setting('hot_standby_feedback')`

func noXminWithoutFeedback(c *C) {
	for _, standby := range c.Pair().Standbys {
		if ask[string](c, standby, feedbackSQL) != "off" {
			c.Skipf("%s sends feedback: its hot_standby_feedback is on", standby.Name())
		}
		// With a snapshot held, feedback would have something to tell.
		session := c.NewSession(standby)
		session.Do(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
		Value[time.Time](session, `SELECT now()`)
		lsn := c.write()
		c.Eventually("the standby's next messages arrive", ackLimit, func(context.Context) (bool, string, error) {
			flush := c.streamTo(standby).sender.Flush
			return flush >= lsn, fmt.Sprintf("sender was told flush %s, waiting for %s", flush, lsn), nil
		})
		if slot := c.slotOf(standby); slot.Xmin != "" {
			c.Errorf("slot %q holds back VACUUM at xmin %s though hot_standby_feedback of %s is off", slot.Name, slot.Xmin, standby.Name())
		}
		session.Do(`ROLLBACK`)
	}
}

const advanceSlotSQL = `SELECT end_lsn::text FROM pg_replication_slot_advance($1, $2::text::pg_lsn)`

func standbyMayOwnSlots(c *C) {
	standby := c.Pair().Standby()
	name := c.newSlot(standby, true)
	made := c.slotNamed(standby, name)
	lsn := c.write()
	c.Replay()
	if advanced := ask[pair.LSN](c, standby, advanceSlotSQL, name, lsn.String()); advanced < lsn || advanced <= made.Restart {
		c.Errorf("slot of %s made at %s and advanced to %s stands at %s", standby.Name(), made.Restart, lsn, advanced)
	}
	for _, slot := range c.slots(c.Pair().Primary) {
		if slot.Name == name {
			c.Errorf("slot made on %s shows on %s: %+v", standby.Name(), c.Pair().Primary.Name(), slot)
		}
	}
	if err := standby.Exec(c.ctx, dropSlotSQL, name); err != nil {
		c.Fatalf("drop slot of %s: %v", standby.Name(), err)
	}
	for _, slot := range c.slots(standby) {
		if slot.Name == name {
			c.Errorf("slot dropped on %s is still there: %+v", standby.Name(), slot)
		}
	}
}
