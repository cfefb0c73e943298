package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// lagChecks is the chapter "lag": how far the standbys are behind, and that
// what the servers say of it is true.
func lagChecks() []Check {
	return slices.Concat(lagPositions(), lagVisible(), lagPaused())
}

const (
	// atOnceBound is shorter than the 10 s of wal_receiver_status_interval,
	// after which a standby tells its primary in any case.
	atOnceBound = 5 * time.Second
	// reportedBound is longer.
	reportedBound = 15 * time.Second
)

func lagPositions() []Check {
	const source = "PostgreSQL documentation, pg_stat_replication"
	return []Check{
		{
			ID:         "lag/lsn-order",
			Obligation: "The primary must never have sent more than it wrote, nor a standby written, flushed and replayed more, in this order, than it was sent.",
			Level:      Must,
			Source:     source,
			Needs:      Needs{Statistics: true},
			Run:        lsnOrder,
		},
		{
			ID:         "lag/replay-is-reported",
			Obligation: "The primary must learn at once that a standby has replayed what was written, without waiting for more to write.",
			Level:      Must,
			Source:     source,
			Needs:      Needs{Statistics: true},
			Run:        replayReported,
		},
		{
			ID:         "lag/zero-when-idle",
			Obligation: "When nobody writes, each standby must come to be zero bytes behind the primary's current position.",
			Level:      Must,
			Needs:      Needs{Statistics: true, Exclusive: true},
			Source:     source,
			Run:        zeroWhenIdle,
		},
		{
			ID:         "lag/both-ends-agree",
			Obligation: "What the primary says of a standby's position must be what the standby says itself.",
			Level:      Must,
			Source:     source + "; Recovery Control Functions",
			Needs:      Needs{Statistics: true},
			Run:        bothEndsAgree,
		},
	}
}

const (
	lagTableSQL = `CREATE TABLE written (id int, filler text)`
	lagWriteSQL = `INSERT INTO written SELECT i, repeat('x', 500) FROM generate_series(1, 200) AS i`
)

// senderTo gives the WAL sender that serves a standby.
func (c *C) senderTo(ctx context.Context, standby *pair.Node) (pair.WALSender, error) {
	receiver, running, err := standby.WALReceiver(ctx)
	if err != nil {
		return pair.WALSender{}, err
	}
	if !running {
		return pair.WALSender{}, fmt.Errorf("%s has no WAL receiver", standby.Name())
	}
	_, sender, err := c.Pair().Upstream(ctx, standby, receiver)
	if err != nil {
		return pair.WALSender{}, err
	}
	if sender == nil {
		return pair.WALSender{}, fmt.Errorf("no WAL sender streams to %s, which uses slot %q", standby.Name(), receiver.SlotName)
	}
	return *sender, nil
}

// lsnOrder looks while WAL flows, when the positions differ.
func lsnOrder(c *C) {
	const looks = 20
	primary := c.writer()
	primary.Do(lagTableSQL)
	seen := map[pair.LSN]bool{}
	// On a busy machine replay may stand still for all of the first looks.
	deadline := time.Now().Add(c.scaled(reportedBound))
	for look := 0; look < looks || len(seen) < 2 && time.Now().Before(deadline); look++ {
		primary.Do(lagWriteSQL)
		for _, standby := range c.Pair().Standbys {
			sender, err := c.senderTo(c.ctx, standby)
			if err != nil {
				c.Fatalf("%v", err)
			}
			// The current position only grows, so it is asked last.
			if wrong := lsnDisorder(sender, c.currentLSN()); wrong != "" {
				c.Errorf("%s: %s", standby.Name(), wrong)
			}
			seen[sender.Replay] = true
		}
	}
	if len(seen) < 2 {
		c.Errorf("replay stood still at %v while WAL was written: the order proves nothing", seen)
	}
}

// lsnDisorder says which position is beyond one that it cannot overtake, or "".
func lsnDisorder(sender pair.WALSender, current pair.LSN) string {
	positions := []struct {
		name string
		lsn  pair.LSN
	}{
		{"current", current}, {"sent", sender.Sent}, {"write", sender.Write}, {"flush", sender.Flush}, {"replay", sender.Replay},
	}
	for i, position := range positions {
		if position.lsn == 0 {
			return fmt.Sprintf("position %s is not known", position.name)
		}
		if i > 0 && position.lsn > positions[i-1].lsn {
			before := positions[i-1]
			return fmt.Sprintf("%s %s is %d bytes beyond %s %s", position.name, position.lsn, position.lsn-before.lsn, before.name, before.lsn)
		}
	}
	return ""
}

func replayReported(c *C) {
	primary := c.writer()
	primary.Do(lagTableSQL)
	primary.Do(lagWriteSQL)
	written := c.currentLSN()
	start := time.Now()
	for _, standby := range c.Pair().Standbys {
		c.promptly(fmt.Sprintf("the primary knows that %s has replayed %s", standby.Name(), written), atOnceBound,
			func(ctx context.Context) (bool, string, error) {
				sender, err := c.senderTo(ctx, standby)
				return err == nil && sender.Replay >= written, "replay_lsn " + sender.Replay.String(), err
			})
	}
	c.Measure("commit-to-reported", milliseconds(time.Since(start)), "ms")
}

func zeroWhenIdle(c *C) {
	primary := c.writer()
	primary.Do(lagTableSQL)
	primary.Do(lagWriteSQL)
	for _, standby := range c.Pair().Standbys {
		c.Eventually(standby.Name()+" is zero bytes behind", reportedBound, func(ctx context.Context) (bool, string, error) {
			before, err := c.Pair().Primary.CurrentLSN(ctx)
			if err != nil {
				return false, "", err
			}
			sender, err := c.senderTo(ctx, standby)
			if err != nil {
				return false, "", err
			}
			// Only a position that still holds afterwards was the current one.
			after, err := c.Pair().Primary.CurrentLSN(ctx)
			seen := fmt.Sprintf("current %s and then %s, sent %s, write %s, flush %s, replay %s",
				before, after, sender.Sent, sender.Write, sender.Flush, sender.Replay)
			return before == after && sender.Sent == before && sender.Write == before &&
				sender.Flush == before && sender.Replay == before, seen, err
		})
	}
}

// standbyPositions is what a standby says of itself.
type standbyPositions struct {
	Receive pair.LSN `db:"receive"`
	Replay  pair.LSN `db:"replay"`
}

const standbyPositionsSQL = `SELECT pg_last_wal_receive_lsn()::text AS receive, pg_last_wal_replay_lsn()::text AS replay`

// bothEndsAgree asks the standby before and after the primary. The primary
// can never know more than the standby did afterwards, and comes to know at
// least what the standby knew before; on an idle pair all three are equal.
func bothEndsAgree(c *C) {
	primary := c.writer()
	primary.Do(lagTableSQL)
	primary.Do(lagWriteSQL)
	for _, standby := range c.Pair().Standbys {
		c.Eventually(standby.Name()+" and the primary agree", reportedBound, func(ctx context.Context) (bool, string, error) {
			before, err := pair.OneRow[standbyPositions](ctx, standby, standbyPositionsSQL)
			if err != nil {
				return false, "", err
			}
			sender, err := c.senderTo(ctx, standby)
			if err != nil {
				return false, "", err
			}
			after, err := pair.OneRow[standbyPositions](ctx, standby, standbyPositionsSQL)
			if err != nil {
				return false, "", err
			}
			if sender.Flush > after.Receive || sender.Replay > after.Replay {
				c.Fatalf("the primary believes %s has flushed %s and replayed %s, which itself says %s and %s afterwards",
					standby.Name(), sender.Flush, sender.Replay, after.Receive, after.Replay)
			}
			seen := fmt.Sprintf("primary: flush %s, replay %s; standby: receive %s, replay %s", sender.Flush, sender.Replay, before.Receive, before.Replay)
			return sender.Flush >= before.Receive && sender.Replay >= before.Replay, seen, nil
		})
	}
}
