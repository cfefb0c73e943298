package scripts_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSwarmOfTwoEngines has primary and standby on engines of their own, which
// only a network joins.
func TestSwarmOfTwoEngines(t *testing.T) {
	if os.Getenv("LIVE_SWARM") == "" {
		t.Skip("starts two engines; LIVE_SWARM=yes runs it, and so does make test-live")
	}
	if os.Getuid() != 0 {
		t.Skip("engines of the test's own need root")
	}
	for _, tool := range []string{"dockerd", "ip", "nsenter", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("engines of the test's own need %s", tool)
		}
	}
	said := command{folder: root(t), line: []string{"scripts/swarm-two-engines.sh"}}.mustRun(t)
	assert.Regexp(t, `walreceiver at 10\.\S+ is streaming, from the engine pms\d+-2\n$`, said)
}
