package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func retentionDisk() []Check {
	return []Check{
		{
			ID:         "retention/full-disk-recovers",
			Obligation: "A primary whose disk was filled by WAL that it kept for an absent standby must start when there is space again; neither it nor the standby may lack an acknowledged row.",
			Level:      Must, Needs: retentionNeeds().disposable(), Disturbs: true, Limit: diskLimit,
			Source: `PostgreSQL documentation, "Disk Full Failure", "Replication Slots"`,
			Run:    fullDiskRecovers,
		},
		{
			ID:         "retention/limit-saves-disk",
			Obligation: "With max_slot_wal_keep_size the slot of an absent standby must be given up before the disk is full, and the primary must go on committing.",
			Level:      Must, Needs: retentionNeeds(), Disturbs: true, Consumes: true, Limit: diskLimit,
			Source: `PostgreSQL documentation, "Sending Servers": max_slot_wal_keep_size`,
			Run:    limitSavesDisk,
		},
	}
}

const (
	// diskLimit is for a check that starts servers, breaks them and waits for their end.
	diskLimit = 4 * time.Minute
	// smallDisk holds an empty cluster of some 60 MB and a few segments of WAL.
	smallDisk = 384 << 20
	// spareSegments is the space that is left when the trouble begins.
	spareSegments = 8
)

// onSmallDisk makes the servers anew, with the primary's data on a small
// volume, and leaves little of it free.
func (c *C) onSmallDisk() {
	err := c.Operator().Up(c.ctx, Instance{DataSize: smallDisk})
	if errors.Is(err, ErrUnavailable) {
		c.Skipf("no small disk can be had: %v", err)
	}
	c.Harness(err)
}

// LeaveOnDisk fills a node's disk until so many bytes are left; healing frees
// it and starts the node if it has ended.
func (c *C) LeaveOnDisk(node *pair.Node, bytes int64) *Injection {
	operator := c.Operator()
	fill := func(ctx context.Context, name string) error { return operator.FillDisk(ctx, name, bytes) }
	free := func(ctx context.Context, name string) error {
		if err := operator.FreeDisk(ctx, name); err != nil {
			return err
		}
		state, err := operator.Inspect(ctx, name)
		if err != nil || state.State == "running" {
			return err
		}
		return operator.Restart(ctx, name) // also where a restart policy waits for its next try
	}
	return c.Inject(DiskFull, node, fill, free)
}

const noSpace = "No space left on device"

func fullDiskRecovers(c *C) {
	c.onSmallDisk()
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	c.needsLog(primary)
	w := c.keepLittleWAL()
	curve := w.watch()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	log := c.logFromNow(primary)
	full := c.LeaveOnDisk(primary, spareSegments*w.segment)
	away := w.sendAway(standby)
	refused := w.writeUntilRefused(2 * spareSegments)
	c.Logf("the disk is full: %v", refused)
	log.wait(noSpace)
	acknowledged := ledger.Count(Acknowledged)
	full.Heal()
	freed := c.Elapsed()
	ledger.WaitAcknowledged(1)
	c.Measure("commits-again", milliseconds(c.Elapsed()-freed), "ms")
	c.Measure("acknowledged-before", float64(acknowledged), "")
	away.Heal()
	c.StreamsAgain(standby)
	ledger.Stop()
	curve.Stop()
	c.Measure("greatest", curve.Max(), "bytes")
	c.Replay()
	ledger.MustHoldAll(primary)
	ledger.MustHoldAll(standby)
}

// writeUntilRefused writes WAL until the primary cannot any more, and gives
// its error. So many segments must not fit.
func (w *wal) writeUntilRefused(segments int) error {
	for range segments {
		_, err := pair.One[string](w.c.ctx, w.primary, emitWALSQL, 1)
		if err == nil {
			_, err = pair.One[string](w.c.ctx, w.primary, switchWALSQL)
		}
		if err != nil {
			return err
		}
	}
	w.c.Fatalf("%s has written %d segments of WAL on a disk with room for %d: it is not full, which proves nothing",
		w.primary.Name(), segments, spareSegments)
	return nil
}

func limitSavesDisk(c *C) {
	c.onSmallDisk()
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	w := c.keepLittleWAL()
	w.limit(narrowSegments)
	curve := w.watch()
	ledger := c.KeepWriting(primary)
	ledger.WaitAcknowledged(1)
	c.LeaveOnDisk(primary, spareSegments*w.segment)
	w.sendAway(standby)
	before := c.currentLSN()
	const steps = 4
	for range steps {
		// Checkpoints, which give up the slot, must not race with a writer that fills the disk.
		w.write(2 * spareSegments / steps)
		w.checkpoint()
	}
	if written := bytesBetween(before, c.currentLSN()); written <= spareSegments*w.segment {
		c.Fatalf("%d bytes of WAL were written, which fit on the disk: that it is not full proves nothing", written)
	}
	w.mustBe("lost", fmt.Sprintf("%d segments were written, with a limit of %d", 2*spareSegments, narrowSegments))
	ledger.WaitAcknowledged(1)
	// Before the end, which breaks off a write of its own.
	if failed := ledger.Count(Refused) + ledger.Count(Unknown); failed > 0 {
		c.Errorf("%d of %d writes failed although the slot was given up", failed, len(ledger.Writes()))
	}
	ledger.Stop()
	curve.Stop()
	c.Measure("greatest", curve.Max(), "bytes")
	c.mustCommitSwiftly(ledger)
	ledger.MustHoldAll(primary)
}
