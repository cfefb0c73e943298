package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// retentionChecks is the chapter "retention": the primary keeps the WAL that
// its standby needs, as much as it may, and no more. The checks that want a
// small disk come last: the servers are made anew for them.
func retentionChecks() []Check {
	return slices.Concat(retentionHeld(), retentionLimit(), retentionLost(), retentionDisk())
}

func retentionNeeds() Needs {
	return Needs{Operator: true, Superuser: true, Exclusive: true, Since: 13} // wal_status
}

const (
	segmentBytesSQL = `SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'`
	switchWALSQL    = `SELECT pg_switch_wal()::text`
	walSizeSQL      = `SELECT COALESCE(sum(size), 0)::bigint FROM pg_ls_waldir()`
	keepSizeSQL     = `SELECT pg_size_bytes(current_setting('wal_keep_size'))`
)

const (
	// smallSegments is max_wal_size while a check has made it small.
	smallSegments = 2
	// slackSegments are what a primary has beside: the one that it writes,
	// the one that it has made ready, and the one that a slot stands in.
	slackSegments = 3
)

// wal is the primary's WAL while a check watches it.
type wal struct {
	c       *C
	primary *pair.Node
	slot    string // of the first standby
	segment int64  // bytes
}

// keepLittleWAL makes max_wal_size as small as it can be, so that what is kept
// beyond it is kept for somebody, and lifts the limit on what slots hold back.
func (c *C) keepLittleWAL() *wal {
	primary := c.Pair().Primary
	w := &wal{c: c, primary: primary, slot: c.slotOf(c.Pair().Standby()).Name, segment: ask[int64](c, primary, segmentBytesSQL)}
	c.Set(primary, "max_wal_size", w.segments(smallSegments), w.segments(smallSegments))
	c.Set(primary, "min_wal_size", w.segments(smallSegments), w.segments(smallSegments))
	c.Set(primary, "max_slot_wal_keep_size", "-1", "-1")
	c.Set(primary, "wal_keep_size", "0", "0") // what is kept for others says nothing about the slot
	return w
}

// bytesBetween is how much WAL lies between two positions.
func bytesBetween(from, to pair.LSN) int64 { return int64(to - from) } //nolint:gosec // no WAL is that long

// segments writes the size of so many segments as SHOW does.
func (w *wal) segments(count int) string {
	const kilo = 1 << 10
	megabytes := w.segment * int64(count) / kilo / kilo
	if megabytes >= kilo && megabytes%kilo == 0 {
		return fmt.Sprintf("%dGB", megabytes/kilo)
	}
	return fmt.Sprintf("%dMB", megabytes)
}

// write fills so many segments.
func (w *wal) write(count int) {
	for range count {
		w.c.emitWAL(w.primary, 1)
		ask[string](w.c, w.primary, switchWALSQL)
	}
}

// checkpoint waits for a checkpoint, which removes WAL that nobody needs.
func (w *wal) checkpoint() {
	if err := w.primary.Exec(w.c.ctx, checkpointSQL); err != nil {
		w.c.Fatalf("checkpoint: %v", err)
	}
}

// size is what the WAL directory holds, in bytes.
func (w *wal) size() int64 { return ask[int64](w.c, w.primary, walSizeSQL) }

// bound is what it should hold when no standby needs more.
func (w *wal) bound() int64 {
	return (smallSegments+slackSegments)*w.segment + ask[int64](w.c, w.primary, keepSizeSQL)
}

// watch samples what the WAL directory holds.
func (w *wal) watch() *Watch {
	return w.c.Watch("wal-retained", "bytes", func(ctx context.Context) (float64, error) {
		size, err := pair.One[int64](ctx, w.primary, walSizeSQL)
		return float64(size), err
	})
}

// state is the slot as it is now.
func (w *wal) state() pair.Slot { return w.c.slotNamed(w.primary, w.slot) }

// mustBe fails the check unless the slot has a wal_status now.
func (w *wal) mustBe(status, when string) pair.Slot {
	seen := w.state()
	if seen.WALStatus != status {
		w.c.Fatalf("%s: slot %q has wal_status %q (restart_lsn %s, safe_wal_size %s, current position %s), must be %q",
			when, w.slot, seen.WALStatus, seen.Restart, optional(seen.SafeWALSize), w.c.currentLSN(), status)
	}
	return seen
}

func optional(value *int64) string {
	if value == nil {
		return "NULL"
	}
	return fmt.Sprint(*value)
}

// mustKeep fails unless the WAL segment that the slot points at is there.
func (w *wal) mustKeep() {
	if seen := askRow[retention](w.c, w.primary, retentionSQL, w.slot); !seen.Kept {
		w.c.Errorf("segment %s, which slot %q needs, is not in pg_wal", seen.Segment, w.slot)
	}
}

// sendAway cuts the standby off, and has both ends notice soon: the timeouts
// are not what these checks are about. A frozen standby would not do. When its
// socket is full, its WAL sender hangs in its last message, and the checkpoint
// that gives up its slot hangs with it.
func (w *wal) sendAway(standby *pair.Node) *Injection {
	w.c.retryQuickly(standby)
	sender := w.c.streamTo(standby).sender.PID
	away := w.c.Isolate(standby)
	ask[bool](w.c, w.primary, terminateSQL, sender)
	w.c.awaitNoSender(sender)
	w.c.Set(standby, "wal_receiver_timeout", "2s", "2s")
	return away
}

// mustComeDown waits until the WAL directory is as small as it should be.
func (w *wal) mustComeDown(when string) {
	bound := w.bound()
	w.c.Eventually(fmt.Sprintf("%s: pg_wal of %s comes down to %d bytes", when, w.primary.Name(), bound), returnLimit,
		func(ctx context.Context) (bool, string, error) {
			if err := w.primary.Exec(ctx, checkpointSQL); err != nil {
				return false, "", err
			}
			size, err := pair.One[int64](ctx, w.primary, walSizeSQL)
			return size <= bound, fmt.Sprintf("%d bytes", size), err
		})
}
