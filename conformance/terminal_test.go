package conformance_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// liveLine shows what is going on in one line of the terminal, if there is
// one and go test shows nothing itself: it keeps a passing test's output back.
func liveLine(t *testing.T) func(text string) {
	t.Helper()
	if testing.Verbose() || os.Getenv("CI") != "" {
		return func(string) {}
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return func(string) {}
	}
	const erase = "\r\x1b[K"
	write := func(text string) {
		if _, err := terminal.WriteString(erase + text); err != nil {
			t.Logf("write to the terminal: %v", err)
		}
	}
	t.Cleanup(func() {
		write("")
		assert.NoError(t, terminal.Close())
	})
	return func(text string) {
		const width = 78 // fits the narrowest usual terminal
		write(fmt.Sprintf("%.*s", width, text))
	}
}

// announcing shows each check's id before it runs.
func announcing(checks []conformance.Check, show func(string)) conformance.Option {
	places := map[string]int{}
	for i, check := range checks {
		places[check.ID] = i + 1
	}
	return conformance.WithAnnouncer(func(check conformance.Check) {
		show(fmt.Sprintf("%3d/%d %s", places[check.ID], len(checks), check.ID))
	})
}
