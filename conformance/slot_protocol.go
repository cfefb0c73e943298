package conformance

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func slotProtocolChecks() []Check {
	return []Check{
		{
			ID:         "slot/one-consumer",
			Obligation: "A second consumer of a standby's slot must be refused, and the standby must not be disturbed.",
			Level:      Must,
			Needs:      Needs{Statistics: true, Replicator: true},
			Source:     `PostgreSQL documentation, "Streaming Replication Protocol": START_REPLICATION`,
			Run:        oneConsumer,
		},
		{
			ID:         "slot/missing-is-loud",
			Obligation: "Streaming through a slot that does not exist must be refused, not served without one.",
			Level:      Must,
			Needs:      Needs{Replicator: true},
			Source:     `PostgreSQL documentation, "Streaming Replication Protocol": START_REPLICATION`,
			ReadsOnly:  true,
			Run:        missingIsLoud,
		},
		{
			ID:         "slot/identify-system-agrees",
			Obligation: "What a server tells over the replication protocol must agree with what it tells in SQL.",
			Level:      Must,
			Needs:      Needs{Replicator: true},
			Source:     `PostgreSQL documentation, "Streaming Replication Protocol": IDENTIFY_SYSTEM, SHOW`,
			ReadsOnly:  true,
			Run:        identifySystemAgrees,
		},
		{
			ID:         "slot/read-slot-agrees",
			Obligation: "What READ_REPLICATION_SLOT tells of a slot must agree with pg_replication_slots.",
			Level:      Must,
			Needs:      Needs{Statistics: true, Replicator: true, Since: 15},
			Source:     `PostgreSQL documentation, "Streaming Replication Protocol": READ_REPLICATION_SLOT`,
			ReadsOnly:  true,
			Run:        readSlotAgrees,
		},
	}
}

func startReplication(slot string, lsn pair.LSN) string {
	return fmt.Sprintf(`START_REPLICATION SLOT %s PHYSICAL %s`, pgx.Identifier{slot}.Sanitize(), lsn)
}

func oneConsumer(c *C) {
	for _, standby := range c.followers() {
		used := c.slotOf(standby)
		err := c.physical(c.Pair().Primary).stream(startReplication(used.Name, used.Restart))
		holder := "is active for PID " + describePID(used.ActivePID)
		switch {
		case err == nil:
			c.Errorf("second consumer of slot %q was served", used.Name)
		case pair.SQLState(err) != objectInUse || !strings.Contains(err.Error(), holder):
			c.Errorf("second consumer of slot %q: %v; must be refused with SQLSTATE %s, %q", used.Name, err, objectInUse, holder)
		}
		c.write()
		c.Replay()
		if now := c.slotOf(standby); describePID(now.ActivePID) != describePID(used.ActivePID) {
			c.Errorf("slot %q changed hands from %s to %s", used.Name, describePID(used.ActivePID), describePID(now.ActivePID))
		}
	}
}

func missingIsLoud(c *C) {
	missing := c.ScratchName()
	err := c.physical(c.Pair().Primary).stream(startReplication(missing, c.currentLSN()))
	switch {
	case err == nil:
		c.Errorf("streaming through slot %q, which does not exist, was served", missing)
	case pair.SQLState(err) != undefinedObject || !strings.Contains(err.Error(), missing):
		c.Errorf("streaming through a missing slot: %v; must be refused with SQLSTATE %s and the slot's name", err, undefinedObject)
	}
}

const (
	flushedSQL     = `SELECT pg_current_wal_flush_lsn()::text`
	segmentSizeSQL = `SELECT current_setting('wal_segment_size')`
)

func identifySystemAgrees(c *C) {
	primary := c.Pair().Primary
	before := ask[pair.LSN](c, primary, flushedSQL)
	identified := c.physical(primary).row(`IDENTIFY_SYSTEM`)
	after := ask[pair.LSN](c, primary, flushedSQL)
	position, err := pair.ParseLSN(identified["xlogpos"])
	if err != nil || position < before || position > after {
		c.Errorf("IDENTIFY_SYSTEM on %s says position %q, in SQL it was %s before and %s after", primary.Name(), identified["xlogpos"], before, after)
	}
	timeline, err := strconv.ParseInt(ask[string](c, primary, timelineSQL), 16, 64)
	if err != nil || identified["timeline"] != strconv.FormatInt(timeline, 10) {
		c.Errorf("IDENTIFY_SYSTEM on %s says timeline %q, in SQL it is %d", primary.Name(), identified["timeline"], timeline)
	}
	if name, ok := identified["dbname"]; ok {
		c.Errorf("IDENTIFY_SYSTEM on a physical connection names database %q, must name none", name)
	}
	for _, node := range c.Pair().Nodes() {
		connection := c.physical(node)
		want := strconv.FormatInt(ask[int64](c, node, systemIdentifierSQL), 10)
		if seen := connection.row(`IDENTIFY_SYSTEM`)["systemid"]; seen != want {
			c.Errorf("IDENTIFY_SYSTEM on %s says system identifier %q, in SQL it is %s", node.Name(), seen, want)
		}
		want = ask[string](c, node, segmentSizeSQL)
		if seen := connection.row(`SHOW wal_segment_size`)["wal_segment_size"]; seen != want {
			c.Errorf("SHOW wal_segment_size over the replication protocol on %s says %q, in SQL it is %q", node.Name(), seen, want)
		}
	}
}

func readSlotAgrees(c *C) {
	connection := c.physical(c.Pair().Primary)
	for _, standby := range c.followers() {
		before := c.slotOf(standby)
		seen := connection.row(`READ_REPLICATION_SLOT ` + pgx.Identifier{before.Name}.Sanitize())
		after := c.slotOf(standby)
		restart, err := pair.ParseLSN(seen["restart_lsn"])
		if seen["slot_type"] != before.Type || err != nil || restart < before.Restart || restart > after.Restart {
			c.Errorf("READ_REPLICATION_SLOT %s says %v, pg_replication_slots %s with restart_lsn %s before and %s after",
				before.Name, seen, before.Type, before.Restart, after.Restart)
		}
	}
	missing := c.ScratchName()
	if seen := connection.row(`READ_REPLICATION_SLOT ` + missing); len(seen) > 0 {
		c.Errorf("READ_REPLICATION_SLOT of a missing slot says %v, must be NULL throughout", seen)
	}
}
