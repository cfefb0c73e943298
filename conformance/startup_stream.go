package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// ackLimit bounds how long a write may take to be acknowledged by a standby.
// An idle pair needs milliseconds; this is for a loaded machine.
const ackLimit = 10 * time.Second

func startupStreamChecks() []Check {
	return []Check{
		{
			ID:         "startup/streams-on-both-ends",
			Obligation: "Each standby must have a WAL receiver and a WAL sender of its own, both streaming, and a new write must pass through them.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "pg_stat_replication", "pg_stat_wal_receiver"`,
			Needs:      Needs{Statistics: true},
			Run:        streamsOnBothEnds,
		},
		{
			ID:         "startup/session-attributes-route",
			Obligation: "A client that names both servers and target_session_attrs should reach the one it wants, in whatever order it names them.",
			Level:      Should,
			Source:     `PostgreSQL documentation, "Database Connection Control Functions": target_session_attrs`,
			Each:       true,
			Run:        sessionAttributesRoute,
		},
	}
}

func streamsOnBothEnds(c *C) {
	serves := map[int32]*pair.Node{}
	for _, standby := range c.Pair().Standbys {
		stream := c.streamTo(standby)
		if other := serves[stream.sender.PID]; other != nil {
			c.Fatalf("%s and %s have only one WAL sender between them: %s",
				other.Name(), standby.Name(), describeSenders(c.senders()))
		}
		serves[stream.sender.PID] = standby
		if stream.receiver.SenderHost == "" || stream.receiver.SenderPort == 0 {
			c.Errorf("WAL receiver of %s does not say where it receives from: host %q, port %d",
				standby.Name(), stream.receiver.SenderHost, stream.receiver.SenderPort)
		}
	}
	lsn := c.write()
	for pid, standby := range serves {
		fact := fmt.Sprintf("the primary's write up to %s passes both ends of the stream to %s", lsn, standby.Name())
		c.Eventually(fact, ackLimit, func(context.Context) (bool, string, error) {
			now := c.streamTo(standby)
			if now.sender.PID != pid {
				return false, "", fmt.Errorf("WAL sender %d has become %d", pid, now.sender.PID)
			}
			return min(now.receiver.Flushed, now.sender.Flush, now.sender.Replay) >= lsn,
				fmt.Sprintf("receiver flushed %s; sender was told flush %s, replay %s",
					now.receiver.Flushed, now.sender.Flush, now.sender.Replay), nil
		})
	}
}
