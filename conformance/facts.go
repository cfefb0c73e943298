package conformance

import (
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// ask reads the single value of a query on a node, outside the check's schema.
// A query that fails, fails the check.
func ask[T any](c *C, node *pair.Node, sql string, arguments ...any) T {
	value, err := pair.One[T](c.ctx, node, sql, arguments...)
	if err != nil {
		c.Fatalf("%v: %s", err, sql)
	}
	return value
}

// askRow reads the single row of a query into a struct, by column name.
func askRow[T any](c *C, node *pair.Node, sql string, arguments ...any) T {
	value, err := pair.OneRow[T](c.ctx, node, sql, arguments...)
	if err != nil {
		c.Fatalf("%v: %s", err, sql)
	}
	return value
}

// askRows reads all rows of a query into structs, by column name.
func askRows[T any](c *C, node *pair.Node, sql string, arguments ...any) []T {
	values, err := pair.Rows[T](c.ctx, node, sql, arguments...)
	if err != nil {
		c.Fatalf("%v: %s", err, sql)
	}
	return values
}

// stream is the replication to one standby as both of its ends tell it.
type stream struct {
	upstream *pair.Node // the primary, unless the standby is a cascading one
	receiver pair.WALReceiver
	sender   pair.WALSender
}

// streamTo gives the stream to a standby. A standby without one fails the check.
func (c *C) streamTo(standby *pair.Node) stream {
	receiver, ok, err := standby.WALReceiver(c.ctx)
	switch {
	case err != nil:
		c.Fatalf("%v", err)
	case !ok:
		c.Fatalf("%s has no WAL receiver: pg_stat_wal_receiver is empty", standby.Name())
	case receiver.Status != "streaming":
		c.Fatalf("WAL receiver of %s: status is %q, must be streaming", standby.Name(), receiver.Status)
	}
	upstream, sender, err := c.Pair().Upstream(c.ctx, standby, receiver)
	if err != nil {
		c.Fatalf("%v", err)
	}
	if sender == nil {
		c.Fatalf("%s has no WAL sender that streams to %s (slot %q); it has: %s",
			c.Pair().Primary.Name(), standby.Name(), receiver.SlotName, describeSenders(c.senders()))
	}
	return stream{upstream: upstream, receiver: receiver, sender: *sender}
}

// senders lists the primary's WAL senders.
func (c *C) senders() []pair.WALSender { return c.sendersOf(c.Pair().Primary) }

func (c *C) sendersOf(node *pair.Node) []pair.WALSender {
	senders, err := node.WALSenders(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return senders
}

// slots lists a node's replication slots.
func (c *C) slots(node *pair.Node) []pair.Slot {
	slots, err := node.Slots(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return slots
}

// currentLSN is how far the primary has written.
func (c *C) currentLSN() pair.LSN {
	lsn, err := c.Pair().Primary.CurrentLSN(c.ctx)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return lsn
}

// database is the name of the checks' database, which no connection string need say.
func (c *C) database() string {
	return ask[string](c, c.Pair().Primary, `SELECT current_database()::text`)
}

// write commits something on the primary and gives a position that covers it.
func (c *C) write() pair.LSN {
	before := c.currentLSN()
	session := c.OnPrimary()
	session.Do(`SET synchronous_commit = local`) // off would leave the commit in memory
	session.Do(`CREATE TABLE IF NOT EXISTS written (at timestamptz)`)
	session.Do(`INSERT INTO written VALUES (clock_timestamp())`)
	after := c.currentLSN()
	if after <= before {
		c.Fatalf("a committed write did not move the position of %s: %s, then %s", c.Pair().Primary.Name(), before, after)
	}
	return after
}

func describeSenders(senders []pair.WALSender) string {
	if len(senders) == 0 {
		return "none"
	}
	text := ""
	for _, sender := range senders {
		text += fmt.Sprintf("[pid %d %s %q", sender.PID, sender.State, sender.ApplicationName)
		if sender.SlotName != nil {
			text += fmt.Sprintf(" slot %q", *sender.SlotName)
		}
		text += "]"
	}
	return text
}

// inspect tells the state of a node's container.
func (c *C) inspect(node *pair.Node) Container {
	state, err := c.Operator().Inspect(c.ctx, node.Name())
	c.Harness(err)
	return state
}

// beside runs a command beside a node's server.
func (c *C) beside(node *pair.Node, command ...string) Execution {
	ended, err := c.Operator().Exec(c.ctx, node.Name(), nil, command...)
	c.Harness(err)
	return ended
}

const clockSQL = `SELECT clock_timestamp()`

// toLocal translates a moment of a server's clock into this process's clock.
// The two are read one after the other, so the result is the earliest that it
// can have been.
func (c *C) toLocal(node *pair.Node, moment time.Time) time.Time {
	before := time.Now()
	ahead := ask[time.Time](c, node, clockSQL).Sub(before)
	return moment.Add(-ahead)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
