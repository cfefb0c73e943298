package conformance

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// logEntry is the first line of a server's log message.
type logEntry struct {
	stamp string    // when, as the server wrote it, without the time zone
	at    time.Time // the same, good for comparing entries of one log only: see moment
	pid   string
	text  string
}

// entryPattern is a line under the default log_line_prefix, "%m [%p] ", also
// behind what pg_ctl prints while it waits ("waiting for server to start....").
//
// Source: PostgreSQL documentation, "Error Reporting and Logging": log_line_prefix.
var entryPattern = regexp.MustCompile(`(?m)^(?:[a-z ]+\.+)?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \S+ \[(\d+)\] [A-Z]+:  (.*)$`)

// readLog picks the entries out of a log, in the order of their stamps: a
// container's standard output and error may overtake one another.
func readLog(log string) []logEntry {
	var entries []logEntry
	for _, found := range entryPattern.FindAllStringSubmatch(strings.ReplaceAll(log, "\r\n", "\n"), -1) {
		at, err := time.Parse("2006-01-02 15:04:05.000", found[1])
		if err != nil {
			continue // no date
		}
		entries = append(entries, logEntry{stamp: found[1], at: at, pid: found[2], text: found[3]})
	}
	slices.SortStableFunc(entries, func(a, b logEntry) int { return a.at.Compare(b.at) })
	return entries
}

// serverStart is one start of a server, as its log tells it.
type serverStart struct {
	socket *logEntry // when it began to listen on a Unix socket
	tcp    *logEntry // when it began to listen on TCP
}

// serverStarts lists the starts in a log, in order. A postmaster has one
// process id from start to end, and says first of all what it listens on.
func serverStarts(entries []logEntry) []serverStart {
	var starts []serverStart
	began := false
	for i, entry := range entries {
		switch {
		case strings.HasPrefix(entry.text, "starting PostgreSQL"):
			starts = append(starts, serverStart{})
			began = true
		case !began:
		case strings.HasPrefix(entry.text, "listening on Unix socket"):
			starts[len(starts)-1].socket = &entries[i]
		case strings.HasPrefix(entry.text, "listening on IP") && starts[len(starts)-1].tcp == nil:
			starts[len(starts)-1].tcp = &entries[i]
		}
	}
	return starts
}

const stampSQL = `SELECT $1::text::timestamp AT TIME ZONE current_setting('log_timezone')`

// moment reads an entry's stamp by the server that wrote it. The abbreviation
// in the log is no help: CST is China's as well as America's.
//
// Source: PostgreSQL documentation, "Error Reporting and Logging": log_timezone.
func (c *C) moment(node *pair.Node, entry logEntry) time.Time {
	return ask[time.Time](c, node, stampSQL, entry.stamp)
}

// serverLog gives the entries of all that a node has logged. A log that
// cannot be read skips the check.
func (c *C) serverLog(node *pair.Node) (text string, entries []logEntry) {
	text, err := c.Operator().Logs(c.ctx, node.Name(), time.Time{})
	c.Harness(err)
	if entries = readLog(text); len(entries) == 0 {
		c.Skipf("log of %s has no line with the default log_line_prefix", node.Name())
	}
	return text, entries
}

const (
	logsToStderrSQL = `
SELECT NOT current_setting('logging_collector')::bool
   AND 'stderr' = ANY (string_to_array(replace(current_setting('log_destination'), ' ', ''), ','))`
	messagesSQL        = `SELECT current_setting('lc_messages')`
	messagesEnglishSQL = `SELECT current_setting('lc_messages') ~ '^(en|C|POSIX|$)'`
)

// needsLog skips the check unless each node tells its operator in English what
// it does: the check knows some messages by their text.
//
// Source: PostgreSQL documentation, "Error Reporting and Logging", "Locale Support".
func (c *C) needsLog(nodes ...*pair.Node) {
	for _, node := range nodes {
		if !ask[bool](c, node, logsToStderrSQL) {
			c.Skipf("%s logs to files of its own, not to its container's log", node.Name())
		}
		if !ask[bool](c, node, messagesEnglishSQL) {
			c.Skipf("%s logs in the language of %s", node.Name(), ask[string](c, node, messagesSQL))
		}
	}
}
