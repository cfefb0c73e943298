package conformance

import (
	"context"
	"fmt"
	"slices"
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

// standbyLink is a WAL sender and the standby that it serves.
type standbyLink struct {
	standby, upstream *pair.Node
	sender            int32 // its process id there
}

func streamsOnBothEnds(c *C) {
	var links []standbyLink
	for _, standby := range c.Pair().Standbys {
		stream := c.streamTo(standby)
		// Standbys of one name and without slots cannot be told apart: each may
		// be served by any of their senders that serves no other.
		senders := c.sendersOf(stream.upstream)
		free := slices.DeleteFunc(slices.Clone(senders), func(sender pair.WALSender) bool {
			return slices.ContainsFunc(links, func(link standbyLink) bool {
				return link.upstream == stream.upstream && link.sender == sender.PID
			})
		})
		sender := pair.FindStandby(free, stream.receiver)
		if sender == nil {
			c.Fatalf("%s has no WAL sender for %s beside those of the other standbys: %s",
				stream.upstream.Name(), standby.Name(), describeSenders(senders))
		}
		links = append(links, standbyLink{standby, stream.upstream, sender.PID})
		if stream.receiver.SenderHost == "" || stream.receiver.SenderPort == 0 {
			c.Errorf("WAL receiver of %s does not say where it receives from: host %q, port %d",
				standby.Name(), stream.receiver.SenderHost, stream.receiver.SenderPort)
		}
	}
	lsn := c.write()
	for _, link := range links {
		fact := fmt.Sprintf("the primary's write up to %s passes both ends of the stream to %s", lsn, link.standby.Name())
		c.Eventually(fact, ackLimit, func(context.Context) (bool, string, error) {
			receiver := c.streamTo(link.standby).receiver
			senders := c.sendersOf(link.upstream)
			at := slices.IndexFunc(senders, func(sender pair.WALSender) bool { return sender.PID == link.sender })
			if at < 0 {
				return false, "", fmt.Errorf("WAL sender %d is gone: %s", link.sender, describeSenders(senders))
			}
			return min(receiver.Flushed, senders[at].Flush, senders[at].Replay) >= lsn,
				fmt.Sprintf("receiver flushed %s; sender was told flush %s, replay %s",
					receiver.Flushed, senders[at].Flush, senders[at].Replay), nil
		})
	}
}
