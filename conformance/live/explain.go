package live

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// logTail is how many lines of each server's log an error carries.
const logTail = 12

// StartError says why a recipe did not become a pair. It unwraps to the
// missing fact (*pair.NotReadyError) or to ErrEnded.
type StartError struct {
	Waited  time.Duration
	Cause   error
	Servers []ServerState
}

// ServerState is what was seen of one server when the wait ended.
type ServerState struct {
	Service   string
	Container stack.Container
	Log       []string // its last lines
	Err       error    // why state or log could not be had
}

// Error tells cause, container states and the end of each log.
func (e *StartError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "start pair: not replicating after %s: %v", e.Waited.Round(time.Millisecond), e.Cause)
	for _, server := range e.Servers {
		if server.Err != nil {
			fmt.Fprintf(&text, "\n%s: %v", server.Service, server.Err)
			continue
		}
		fmt.Fprintf(&text, "\n%s: container %s %s", server.Service, server.Container.Name, server.Container.State)
		if server.Container.State == "exited" {
			fmt.Fprintf(&text, " with exit code %d", server.Container.ExitCode)
		}
		if server.Container.OOMKilled {
			text.WriteString(", killed for lack of memory")
		}
		text.WriteString("; its log ends:")
		for _, line := range server.Log {
			text.WriteString("\n  " + line)
		}
	}
	return text.String()
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Cause }

// explain gathers what an operator would look at.
func (o *operator) explain(ctx context.Context, waited time.Duration, cause error) error {
	explained := &StartError{Waited: waited, Cause: cause}
	for _, node := range o.nodes {
		state := ServerState{Service: node.Name()}
		state.Container, state.Err = o.stack().Inspect(ctx, node.Name())
		if state.Err == nil {
			var log string
			log, state.Err = o.stack().Logs(ctx, node.Name(), time.Time{})
			state.Log = tail(log, logTail)
		}
		explained.Servers = append(explained.Servers, state)
	}
	return explained
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
