package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func slotErrorChecks() []Check {
	return []Check{
		{
			ID:         "slot/typed-errors",
			Obligation: "What cannot be done with a slot must be refused with its own SQLSTATE.",
			Level:      Must,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "Replication Management Functions", "PostgreSQL Error Codes"`,
			Run:        slotErrors,
		},
		{
			ID:         "slot/limit-is-enforced",
			Obligation: "More slots than max_replication_slots must be refused.",
			Level:      Must,
			Needs:      Needs{Superuser: true, Exclusive: true},
			Source:     `PostgreSQL documentation, "Replication": max_replication_slots`,
			Run:        slotLimit,
		},
	}
}

// SQLSTATEs of slot errors.
//
// Source: PostgreSQL documentation, "PostgreSQL Error Codes".
const (
	objectInUse           = "55006"
	undefinedObject       = "42704"
	duplicateObject       = "42710"
	invalidName           = "42602"
	configurationExceeded = "53400"
)

func slotErrors(c *C) {
	primary, holder := c.OnPrimary(), c.NewSession(c.Pair().Primary)
	// Nobody's but the check's: a standby whose stream breaks lets go of its
	// slot, and would lose it here. A temporary slot is in use while its session lives.
	used, missing := c.ScratchName(), c.ScratchName()
	holder.Do(createTemporarySlotSQL, used)
	for _, refusal := range []struct {
		sqlState, sql, name string
	}{
		{objectInUse, `SELECT pg_drop_replication_slot($1)`, used},
		{objectInUse, `SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())`, used},
		{undefinedObject, `SELECT pg_drop_replication_slot($1)`, missing},
		{undefinedObject, `SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())`, missing},
		{duplicateObject, `SELECT pg_create_physical_replication_slot($1)`, used},
		{invalidName, `SELECT pg_create_physical_replication_slot($1)`, "Not-A-Slot-Name"},
		{invalidName, `SELECT pg_create_physical_replication_slot($1)`, ""},
	} {
		primary.Refuses(refusal.sqlState, refusal.sql, refusal.name)
	}
	pid := Value[int32](holder, backendPIDSQL)
	if slot := c.slotNamed(c.Pair().Primary, used); slot.ActivePID == nil || *slot.ActivePID != pid {
		c.Errorf("slot %q must still be held by process %d: %+v", used, pid, slot)
	}
}

const (
	slotsSQL = `
SELECT ARRAY[current_setting('max_replication_slots')::int, count(*)::int] FROM pg_replication_slots`
	createTemporarySlotSQL = `SELECT pg_create_physical_replication_slot($1, false, true)`
)

func slotLimit(c *C) {
	const most = 100 // making a slot syncs files: more of them would take long
	slots := func(ctx context.Context) (limit, used int, err error) {
		both, err := pair.One[[]int](ctx, c.Pair().Primary, slotsSQL)
		if err != nil {
			return 0, 0, err
		}
		return both[0], both[1], nil
	}
	limit, used, err := slots(c.ctx)
	if err != nil {
		c.Fatalf("count slots: %v", err)
	}
	if limit-used > most {
		c.Skipf("%d slots are free: too many to fill", limit-used)
	}
	// Temporary slots go with their session, whatever becomes of the check.
	session := c.NewSession(c.Pair().Primary)
	// A session that ended a moment ago may still give one back: what was
	// counted above is no limit. An error makes a session drop its own.
	made := 0
	for ; ; made++ {
		if _, used, err = slots(c.ctx); err != nil {
			c.Fatalf("count slots: %v", err)
		}
		if err = session.Try(createTemporarySlotSQL, c.ScratchName()); err != nil || used > limit {
			break
		}
	}
	if state := pair.SQLState(err); state != configurationExceeded || used != limit {
		c.Fatalf("one more slot with %d of %d used: %v, must fail with SQLSTATE %s when all are used, not before", used, limit, err, configurationExceeded)
	}
	if err := session.Close(c.ctx); err != nil {
		c.Fatalf("close session with temporary slots: %v", err)
	}
	c.Eventually("temporary slots go with their session", ackLimit, func(ctx context.Context) (bool, string, error) {
		_, now, err := slots(ctx)
		return now <= limit-made, fmt.Sprintf("%d of %d slots are used, %d were the session's", now, limit, made), err
	})
}
