package conformance

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Link is a way from one node to another that can be made slow and cut. It
// ends with Close, which is safe to call twice.
type Link interface {
	// Host and Port are where the first node finds the other.
	Host() string
	Port() uint16
	// Delay makes every byte arrive so much later; 0 is at once.
	Delay(delay time.Duration)
	// Throttle bounds the bytes per second in each direction; 0 is no bound.
	Throttle(bytesPerSecond int64)
	// Cut lets nothing pass any more: connections stay open and are silent.
	Cut()
	// Mend undoes Delay, Throttle and Cut. What was on the way arrives.
	Mend()
	Close() error
}

const primaryConnectionSQL = `SELECT current_setting('primary_conninfo')`

// StreamOverLink has the standby stream over a link, from now on until the
// check is over. Without a link, or on a standby that takes its address in
// another form, the check is skipped.
func (c *C) StreamOverLink(standby *pair.Node) Link {
	if reason := c.Operator().Unavailable(c.ctx, Slowed); reason != "" {
		c.Skipf("fault %q cannot be had for %s: %s", Slowed, standby.Name(), reason)
	}
	direct := ask[string](c, standby, primaryConnectionSQL)
	link, err := c.Operator().Link(c.ctx, standby.Name(), c.Pair().Primary.Name())
	c.Harness(err)
	// Registered first, so that it happens last: a link that ended earlier
	// would leave the standby without its primary for a while.
	c.Cleanup(func(context.Context) error { return link.Close() })
	through, ok := conninfoOver(direct, link.Host(), link.Port())
	if !ok {
		c.Skipf("primary_conninfo of %s is an URI or empty: it is not rewritten", standby.Name())
	}
	c.SetInFile(standby, "primary_conninfo", through)
	// The value holds a password, so it is not what the failure shows.
	c.Eventually(standby.Name()+" streams over the link", returnLimit, func(ctx context.Context) (bool, string, error) {
		receiver, running, err := standby.WALReceiver(ctx)
		over := running && receiver.Status == "streaming" && receiver.SenderPort == int32(link.Port())
		return over, fmt.Sprintf("status %q, sender %s port %d", receiver.Status, receiver.SenderHost, receiver.SenderPort), err
	})
	c.StreamsAgain(standby)
	return link
}

// conninfoOver leads a connection string in keyword form over another address:
// the last value of a keyword counts.
//
// Source: PostgreSQL documentation, "Connection Strings"; conninfo_parse in fe-connect.c.
func conninfoOver(conninfo, host string, port uint16) (changed string, ok bool) {
	if text := strings.TrimSpace(conninfo); text == "" || isURI(text) {
		return "", false
	}
	return fmt.Sprintf("%s host=%s hostaddr='' port=%d", conninfo, host, port), true
}

func isURI(conninfo string) bool {
	address, err := url.Parse(conninfo)
	return err == nil && (address.Scheme == "postgres" || address.Scheme == "postgresql")
}

// Slow makes a link slow in both directions; healing mends it.
func (c *C) Slow(link Link, standby *pair.Node, delay time.Duration, bytesPerSecond int64) *Injection {
	return c.shape(link, standby, func() {
		link.Delay(delay)
		link.Throttle(bytesPerSecond)
	})
}

// CutLink lets nothing pass a link; healing mends it, and what was on the way
// arrives.
func (c *C) CutLink(link Link, standby *pair.Node) *Injection {
	return c.shape(link, standby, link.Cut)
}

func (c *C) shape(link Link, standby *pair.Node, shape func()) *Injection {
	at := func(act func()) func(context.Context, string) error {
		return func(context.Context, string) error { act(); return nil }
	}
	return c.Inject(Slowed, standby, at(shape), at(link.Mend))
}
