package delivery

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
)

// inActions says whether GitHub Actions reads the terminal.
func inActions() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// Muted writes what is not this program's own: names, and what servers and
// tests say. GitHub Actions takes no workflow commands of it until it is over.
//
// Source: GitHub documentation, "Workflow commands for GitHub Actions":
// Stopping and starting workflow commands.
func Muted(terminal io.Writer, write func() error) error {
	if !inActions() {
		return write()
	}
	token := rand.Text() // nobody may guess it
	if _, err := fmt.Fprintf(terminal, "::stop-commands::%s\n", token); err != nil {
		return errors.Join(fmt.Errorf("stop workflow commands: %w", err), write())
	}
	err := write()
	if _, resumeErr := fmt.Fprintf(terminal, "\n::%s::\n", token); resumeErr != nil {
		err = errors.Join(err, fmt.Errorf("resume workflow commands: %w", resumeErr))
	}
	return err
}
