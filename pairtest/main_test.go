package pairtest_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// live marks a test that starts servers.
func live(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
}
