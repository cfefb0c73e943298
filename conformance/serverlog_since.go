package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// newLog is what a node has logged since a moment of the check. The moment is
// a place in the log, not a time: nobody's clock plays a part.
type newLog struct {
	c      *C
	node   *pair.Node
	before string
}

// logFromNow begins a new log.
func (c *C) logFromNow(node *pair.Node) newLog {
	before, err := c.Operator().Logs(c.ctx, node.Name(), time.Time{})
	c.Harness(err)
	return newLog{c: c, node: node, before: before}
}

// text gives what has been logged so far. A new container begins a log of its own.
func (l newLog) text(ctx context.Context) (string, error) {
	now, err := l.c.Operator().Logs(ctx, l.node.Name(), time.Time{})
	return strings.TrimPrefix(now, l.before), err
}

// wait gives the last line that holds one of some texts, when there is one. A
// node that evidently never logs it fails the check at once.
func (l newLog) wait(texts ...string) string {
	line := ""
	l.reads(fmt.Sprintf("%s logs %q", l.node.Name(), strings.Join(texts, `" or "`)), func(text string) bool {
		line = lastLineWith(text, texts...)
		return line != ""
	})
	return line
}

// reads waits until the log is as wanted.
func (l newLog) reads(fact string, wanted func(text string) bool) {
	const pace = 50 * time.Millisecond // an engine reads the whole log each time
	l.c.eventuallyEvery(pace, fact, returnLimit, func(ctx context.Context) (bool, string, error) {
		text, err := l.text(ctx)
		if err != nil || wanted(text) {
			return err == nil, "", err
		}
		if line := lastLineWith(text, hopeless[:]...); line != "" {
			l.c.Fatalf("%s: it will not, its log says: %s", fact, line)
		}
		return false, strings.Join(tail(text, 3), " | "), nil
	})
}

// mustLack fails the check when a line holds one of some texts.
func (l newLog) mustLack(meaning string, texts ...string) {
	text, err := l.text(l.c.ctx)
	l.c.Harness(err)
	if line := lastLineWith(text, texts...); line != "" {
		l.c.Errorf("%s %s: its log says: %s", l.node.Name(), meaning, line)
	}
}

// mustStartCleanly fails the check when the node found that it had been
// stopped without a shutdown.
func (l newLog) mustStartCleanly() {
	l.mustLack("started with crash recovery", "database system was interrupted", "not properly shut down")
}
