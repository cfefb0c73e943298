package diagnose

import (
	"regexp"
	"strings"
)

// entry is a log line taken apart.
type entry struct {
	level string // LOG, ERROR, FATAL, PANIC, DETAIL, …; "error" of a client program; or empty
	text  string // the message
}

// serverLine is a line of a server under any log_line_prefix: a severity in
// capitals, a colon and two blanks. What stands before it may hold anything,
// so the first severity counts: a message may quote a second one.
//
// Source: PostgreSQL documentation, "Error Reporting and Logging": Message Severity Levels.
var serverLine = regexp.MustCompile(`(?:^|\s)(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  ?(.*)$`)

// clientLine is a line of a client program or of initdb, psql's place in a
// file included.
var clientLine = regexp.MustCompile(`(?:^|\s)(?:pg_[a-z]+|psql|initdb|postgres|createuser|createdb)(?::[^:\s]+:\d+)?: (error|fatal|detail|hint|warning)?:? ?(.*)$`)

// parse takes a log line apart. Any text will do: what has no severity is
// all message.
func parse(line string) entry {
	line = strings.TrimRight(line, "\r\n")
	client, isClient := dissect(clientLine, line)
	server, isServer := dissect(serverLine, line)
	switch {
	// A client program quotes what the server said, and psql's errors are the server's.
	case isClient && (!isServer || client.level != "" && strings.HasSuffix(client.text, server.text) && len(client.text) > len(server.text)):
		return client
	case isServer:
		return server
	}
	return entry{text: line}
}

// dissect gives severity and message, which are the groups of a form.
func dissect(form *regexp.Regexp, line string) (entry, bool) {
	groups := form.FindStringSubmatch(line)
	if groups == nil {
		return entry{}, false
	}
	return entry{level: groups[1], text: groups[2]}, true
}

// isError says whether a line tells of a failure.
func (e entry) isError() bool {
	switch e.level {
	case "ERROR", "FATAL", "PANIC", "error", "fatal":
		// Everybody who waits for a server makes it say that.
		return !passing.MatchString(e.text)
	}
	return e.level == "" && shellError.MatchString(e.text)
}

// passing are refusals of a server that will soon accept.
var passing = regexp.MustCompile(`^the database system is (?:starting up|in recovery mode|shutting down|not yet accepting connections)$`)

// tellsError says whether a line tells of a failure, without a close look at
// the many that cannot.
func tellsError(line string) bool {
	for _, word := range []string{"ERROR", "FATAL", "PANIC", "rror:", "fatal:", "could not", "not found", "denied", "not permitted", "No such file", "interpreter"} {
		if strings.Contains(line, word) {
			return parse(line).isError()
		}
	}
	return false
}

// shellError are the words of a shell, an entrypoint or a kernel.
var shellError = regexp.MustCompile(`(?i)^error:|: command not found|: No such file or directory|: Permission denied|: Operation not permitted|bad interpreter|execution of the PostgreSQL server is not permitted|could not `)
