package conformance

import (
	"regexp"
	"time"
)

// damageLogged finds lines in which a server says that its data are damaged, or
// that it gave up. What clients sent, which is logged too, may say anything.
//
// Source: PostgreSQL source, bufmgr.c, bufpage.c and md.c; PostgreSQL
// documentation, "Error Reporting and Logging": message severity levels.
var damageLogged = regexp.MustCompile(
	`(?m)^.*\b(?:PANIC:  |(?:LOG|WARNING|ERROR|FATAL):  .*(?:invalid page in block|could not read blocks? |page verification failed)).*$`)

// logsShowNoDamage comes when the checks that break nothing are through: what
// they have read and written is read once more, as it were.
func logsShowNoDamage(c *C) {
	const shown = 3
	c.needsLog(c.Pair().Nodes()...)
	for _, node := range c.Pair().Nodes() {
		log, err := c.Operator().Logs(c.ctx, node.Name(), time.Time{})
		c.Harness(err)
		if log == "" {
			c.Fatalf("%s has logged nothing, not even that it has started: that its log shows no damage proves nothing", node.Name())
		}
		for i, line := range damageLogged.FindAllString(log, -1) {
			if i == shown {
				break
			}
			c.Errorf("%s logs: %s", node.Name(), line)
		}
	}
}
