package conformance

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func startupReadinessChecks() []Check {
	return []Check{
		{
			ID:         "startup/not-ready-while-initialising",
			Obligation: "While the image initialises its cluster, the server must not listen on TCP, and the pair must not count as ready.",
			Level:      Must,
			Needs:      Needs{Operator: true},
			Source:     "documentation of the Docker Official Image postgres: initialization scripts",
			Run:        notReadyWhileInitialising,
		},
		{
			ID:         "startup/no-readiness-before-streaming",
			Obligation: "The pair must not count as ready before each standby has begun to stream WAL.",
			Level:      Must,
			Needs:      Needs{Operator: true},
			Source:     `PostgreSQL documentation, "Streaming Replication"`,
			Run:        noReadinessBeforeStreaming,
		},
	}
}

// initialised is what initdb prints when it has made a cluster, which the
// image's temporary server then runs on first.
const initialised = "Success. You can now start the database server using"

func notReadyWhileInitialising(c *C) {
	primary := c.Pair().Primary
	text, entries := c.serverLog(primary)
	if !strings.Contains(text, initialised) {
		c.Skipf("log of %s shows no initialisation: it runs on data that were there before", primary.Name())
	}
	starts := serverStarts(entries)
	if len(starts) < 2 || starts[0].socket == nil {
		c.Fatalf("log of %s says %q but shows no temporary server before: %d starts", primary.Name(), initialised, len(starts))
	}
	// The temporary server answers on its Unix socket: only TCP tells it from the final one.
	if tcp := starts[0].tcp; tcp != nil {
		c.Errorf("temporary server of %s listened on TCP while it was initialised: %s %s", primary.Name(), tcp.stamp, tcp.text)
	}
	if starts[1].tcp == nil {
		c.Fatalf("server of %s after the initialisation does not listen on TCP", primary.Name())
	}
	c.readyAfter(primary, *starts[1].tcp)
}

func noReadinessBeforeStreaming(c *C) {
	const began = "started streaming WAL from primary"
	soonest := time.Duration(math.MaxInt64)
	for _, standby := range c.Pair().Standbys {
		_, entries := c.serverLog(standby)
		var first *logEntry
		for i := range entries {
			if strings.HasPrefix(entries[i].text, began) {
				first = &entries[i]
				break
			}
		}
		if first == nil {
			c.Fatalf("%s replicates, yet its log does not say %q", standby.Name(), began)
		}
		soonest = min(soonest, c.readyAfter(standby, *first))
	}
	c.Measure("ready-after-streaming", milliseconds(soonest), "ms")
}

// readyAfter wants the pair found ready after something that a server logged,
// and gives how long after.
func (c *C) readyAfter(node *pair.Node, entry logEntry) time.Duration {
	ready := c.Operator().Ready()
	if ready.IsZero() {
		c.Harness(errors.New("operator does not tell when the pair was found ready"))
	}
	logged := c.toLocal(node, c.moment(node, entry))
	if ready.Before(logged) {
		c.Errorf("pair counted as ready at %s, %s before %s logged %q",
			ready.UTC().Format(time.RFC3339Nano), logged.Sub(ready), node.Name(), entry.text)
	}
	return ready.Sub(logged)
}
