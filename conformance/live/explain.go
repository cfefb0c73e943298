package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// logTail is how many lines of each server's log an error carries.
const logTail = 12

// explainLimit bounds the last look at what failed.
const explainLimit = 5 * time.Second

// StartError says why a recipe did not become a pair. It unwraps to the
// missing fact (*pair.NotReadyError), to ErrEnded or ErrHopeless, and to what
// the engine said.
type StartError struct {
	Waited    time.Duration
	Cause     error
	Diagnosis diagnose.Diagnosis
	Advice    []diagnose.Diagnosis // what else should not be so
	Unset     []string             // variables that the recipe refers to and that are not set: they are empty
	Servers   []ServerState

	said string // what the cause says, without passwords
}

// ServerState is what was seen of one server when the wait ended.
type ServerState struct {
	Service   string
	Container diagnose.Container
	Log       []string // its last lines, without passwords
}

// Error tells the diagnosis, then cause, container states and the end of each
// log, all of it without the recipe's passwords.
func (e *StartError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "start pair: not replicating after %s: %s", e.Waited.Round(time.Millisecond), e.Diagnosis.Text())
	for _, also := range e.Advice {
		fmt.Fprintf(&text, "also:     %s. %s\n", also.Cause, also.Cure)
	}
	if len(e.Unset) > 0 {
		fmt.Fprintf(&text, "also:     %s\n", unset(e.Unset))
	}
	fmt.Fprintf(&text, "the wait ended with: %s", e.said)
	for _, server := range e.Servers {
		state := server.Container
		if state.State == "" {
			fmt.Fprintf(&text, "\n%s: no container", server.Service)
			continue
		}
		fmt.Fprintf(&text, "\n%s: container %s", server.Service, state.State)
		if state.State == "exited" {
			fmt.Fprintf(&text, " with exit code %d", state.ExitCode)
		}
		if state.Restarts > 0 {
			fmt.Fprintf(&text, ", restarted %d times", state.Restarts)
		}
		if state.OOMKilled {
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

// explain says why there is no pair, from the evidence that proved it or else
// from one more look at everything.
func (o *operator) explain(ctx context.Context, waited time.Duration, cause error, evidence *diagnose.Evidence) error {
	ctx, cancel := context.WithTimeout(ctx, explainLimit)
	defer cancel()
	if evidence == nil {
		observer := o.observe(lastAnswerPatience)
		evidence = observer.look(ctx)
		observer.end()
		if errors.Is(cause, errNotStarted) && !errors.Is(cause, context.DeadlineExceeded) {
			evidence.Failure = cause.Error()
			evidence.Images, _ = o.engine.MissingImages(ctx, o.model) // an engine that fails at this too has said enough
		}
	}
	evidence.Missing = missing(waited, cause)
	told := explained(waited, cause, evidence)
	told.Unset = o.model.Unset
	return told
}

// unset says that variables of a recipe are not set.
func unset(variables []string) string {
	if len(variables) == 1 {
		return fmt.Sprintf("the variable %s is not set: it is empty", variables[0])
	}
	return fmt.Sprintf("the variables %s are not set: they are empty", strings.Join(variables, ", "))
}

func explained(waited time.Duration, cause error, evidence *diagnose.Evidence) *StartError {
	told := &StartError{
		Waited: waited, Cause: cause, said: evidence.Hide(cause.Error()),
		Diagnosis: *diagnose.Of(evidence), Advice: diagnose.Advise(evidence),
	}
	for _, server := range evidence.Servers {
		state := ServerState{Service: server.Name, Container: server.Container}
		for _, line := range server.Log {
			state.Log = append(state.Log, line.Text)
		}
		state.Log = tail(strings.Join(state.Log, "\n"), logTail)
		for i, line := range state.Log {
			state.Log[i] = evidence.Hide(line)
		}
		told.Servers = append(told.Servers, state)
	}
	return told
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
