package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func conflictFeedbackChecks() []Check {
	return []Check{
		{
			ID:         "conflict/feedback-works",
			Obligation: "VACUUM on the primary should neither end a reader on the standby nor make replay wait for it, with the pair as it is.",
			Level:      Should, Needs: conflictNeeds(), Source: queryConflicts + ": hot_standby_feedback", Disturbs: true, Limit: faultLimit, Run: feedbackWorks,
		},
		{
			ID:         "conflict/feedback-prevents-snapshot-conflict",
			Obligation: "hot_standby_feedback on the standby should make VACUUM on the primary spare what a reader there needs, but not longer than the reader is there.",
			Level:      Should, Needs: conflictNeeds(), Source: queryConflicts + ": hot_standby_feedback", Disturbs: true, Limit: faultLimit, Run: feedbackPrevents,
		},
		{
			ID:         "conflict/feedback-prevents-no-lock-conflict",
			Obligation: "hot_standby_feedback should not keep replay from ending a reader whose lock is in the way.",
			Level:      Should, Needs: conflictNeeds(), Source: queryConflicts, Disturbs: true, Limit: faultLimit, Run: feedbackPreventsNoLock,
		},
	}
}

const (
	readVacuumAllSQL = `VACUUM read` // and cuts off what is empty
	readSizeSQL      = `SELECT pg_relation_size('read')`
)

// feedback has the standby tell the primary what it needs, and waits until
// the primary knows. What it knows is never newer than a snapshot taken later.
func (c *C) feedback() {
	standby := c.Pair().Standby()
	c.Set(standby, "hot_standby_feedback", "on", "on")
	c.Eventually("the primary holds back VACUUM for "+standby.Name(), factLimit, func(ctx context.Context) (bool, string, error) {
		xmin, err := c.heldXmin(ctx, standby)
		return xmin != "", "no xmin", err
	})
}

func feedbackWorks(c *C) {
	standby := c.Pair().Standby()
	reader := c.reader(c.snapshotReaders())
	c.OnPrimary().Do(readDeleteSQL)
	xmin, err := c.heldXmin(c.ctx, standby)
	if err != nil {
		c.Fatalf("%v", err)
	}
	conflicts := func() bool { return c.replayIsBlocked() || c.gone(reader) }
	conflicted := false
	if xmin == "" {
		// Nothing is spared for the standby. Somebody on the primary may still need the rows.
		c.vacuumUntil(conflicts)
		conflicted = true // replay naps in between: a second look may miss it
	} else {
		c.OnPrimary().Do(readVacuumAllSQL)
		behind := c.write()
		c.Eventually("replay passes VACUUM, or meets the reader", factLimit, func(ctx context.Context) (bool, string, error) {
			replayed, err := standby.ReplayedLSN(ctx)
			return replayed >= behind || conflicts(), "replayed " + replayed.String(), err
		})
	}
	if conflicted || conflicts() {
		c.Fatalf("replay on %s waits for a reader after VACUUM on the primary, and ends it after max_standby_streaming_delay = %s; "+
			"its hot_standby_feedback is %s, the primary spares rows for it from xmin %q on", standby.Name(), c.setting(standby, delayName),
			c.setting(standby, "hot_standby_feedback"), xmin)
	}
	c.mustSpare(reader)
}

// gone says whether a session's backend is gone.
func (c *C) gone(session *Session) bool {
	return c.backend(session.node, session.PgConn().PID()).State == "gone"
}

// mustSpare looks whether a reader still sees the rows that were deleted, and
// that nothing but the reader has kept VACUUM from removing them.
func (c *C) mustSpare(reader *Session) {
	standby, primary := c.Pair().Standby(), c.OnPrimary()
	if size := Value[int64](primary, readSizeSQL); size == 0 {
		c.Errorf("VACUUM has removed what a reader of %s needs", standby.Name())
	}
	if rows := Value[int64](reader, readCountSQL); rows != 20 {
		c.Errorf("the reader sees %d rows after VACUUM, its snapshot has 20", rows)
	}
	reader.Do(commitSQL)
	c.Eventually("VACUUM removes the rows once the reader has ended", factLimit, func(ctx context.Context) (bool, string, error) {
		// A standby that loads its configuration sends feedback at once, not only every wal_receiver_status_interval.
		if err := standby.Reload(ctx); err != nil {
			return false, "", err
		}
		primary.Do(readVacuumAllSQL)
		size := Value[int64](primary, readSizeSQL)
		xmin, err := c.heldXmin(ctx, standby)
		return size == 0, fmt.Sprintf("the table has %d bytes, the primary keeps rows for %s from xmin %q on", size, standby.Name(), xmin), err
	})
}

func feedbackPrevents(c *C) {
	c.Schema()
	c.quiet()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	c.feedback()
	reader := c.reader(c.snapshotReaders())
	c.OnPrimary().Do(readDeleteSQL)
	c.OnPrimary().Do(readVacuumAllSQL)
	c.write()
	c.Replay()
	c.mustSpare(reader)
}

func feedbackPreventsNoLock(c *C) {
	primary := c.writer()
	c.quiet()
	c.Set(c.Pair().Standby(), delayName, shortDelay, shortDelay)
	c.feedback()
	primary.Do(readTableSQL)
	c.Replay()
	reader := c.idleVictim([]string{beginSQL, readCountSQL})
	primary.Do(`TRUNCATE read`)
	reader.struck("FATAL", serialization, lockDetail)
}

func conflictXminChecks() []Check {
	return []Check{{
		ID:         "conflict/xmin-outlives-the-standby",
		Obligation: "With feedback a slot should go on sparing a standby's rows while the standby is away, and stop when feedback is switched off.",
		Level:      Should, Needs: Needs{Operator: true, Superuser: true, Exclusive: true},
		Source: `PostgreSQL documentation, "pg_replication_slots": xmin; "Replication": hot_standby_feedback`, Disturbs: true, Limit: faultLimit, Run: xminOutlivesStandby,
	}}
}

func xminOutlivesStandby(c *C) {
	standby := c.Pair().Standby()
	primary := c.writer()
	slot := c.slotOf(standby)
	c.quiet()
	c.Set(standby, "wal_retrieve_retry_interval", "100ms", "100ms")
	c.feedback()
	primary.Do(readTableSQL)
	primary.Do(readRowsSQL)
	c.Replay()

	sender := c.streamTo(standby).sender.PID
	frozen := c.Pause(standby)
	ask[bool](c, c.Pair().Primary, terminateSQL, sender)
	c.Eventually("the slot's WAL sender has ended", factLimit, func(context.Context) (bool, string, error) {
		slot = c.slotNamed(c.Pair().Primary, slot.Name)
		return !slot.Active, "the slot is active", nil
	})
	if slot.Xmin == "" {
		c.Errorf("slot %q has no xmin while its standby is away: VACUUM removes what the standby may need", slot.Name)
	}
	primary.Do(readDeleteSQL)
	primary.Do(readVacuumAllSQL)
	if size := Value[int64](primary, readSizeSQL); size == 0 {
		c.Errorf("VACUUM has removed rows that slot %q with xmin %s spares", slot.Name, slot.Xmin)
	}
	frozen.Heal()
	c.StreamsAgain(standby)

	c.withoutFeedback()
	c.Eventually("VACUUM removes the rows once feedback is off", factLimit, func(ctx context.Context) (bool, string, error) {
		primary.Do(readVacuumAllSQL)
		size := Value[int64](primary, readSizeSQL)
		kept, err := pair.One[string](ctx, c.Pair().Primary, slotXminSQL, slot.Name)
		return size == 0, fmt.Sprintf("the table has %d bytes, xmin of slot %q is %q", size, slot.Name, kept), err
	})
}

const slotXminSQL = `SELECT COALESCE(xmin::text, '') FROM pg_replication_slots WHERE slot_name = $1`
