package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// describe tells state and last log lines of a node's container, for a
// failure's reader. It works also when the check's time is up.
func (c *C) describe(node *pair.Node) string {
	if c.Operator() == nil {
		return ""
	}
	const limit, lines = 5 * time.Second, 8
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), limit)
	defer cancel()
	state, err := c.Operator().Inspect(ctx, node.Name())
	if err != nil {
		return fmt.Sprintf("%s: %v", node.Name(), err)
	}
	text := fmt.Sprintf("%s: container %s, exit code %d", node.Name(), state.State, state.ExitCode)
	if state.Health != "" {
		text += ", health check " + state.Health
	}
	log, err := c.Operator().Logs(ctx, node.Name(), time.Time{})
	if err != nil {
		return fmt.Sprintf("%s; its log cannot be read: %v", text, err)
	}
	return text + "; its log ends:\n  " + strings.Join(tail(log, lines), "\n  ")
}

// describeServers adds to the reasons of a check that broke servers, and
// failed, what has become of them, before they are healed.
func (c *C) describeServers() {
	if !c.check.Disturbs || !c.Failed() || c.skipped || c.Operator() == nil {
		return
	}
	c.mutex.Lock() // a client of the check may still be at work
	said := strings.Join(c.reasons, "\n")
	c.mutex.Unlock()
	for _, node := range c.Pair().Nodes() {
		if !strings.Contains(said, node.Name()+": container ") {
			c.Logf("%s", c.describe(node))
		}
	}
}

// tail gives the last lines of a text that are not blank.
func tail(text string, count int) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-count):]
}

// lastLineWith finds the last line that holds one of some texts.
func lastLineWith(text string, wanted ...string) string {
	found := ""
	for line := range strings.Lines(text) {
		for _, one := range wanted {
			if strings.Contains(line, one) {
				found = strings.TrimSpace(line)
			}
		}
	}
	return found
}
