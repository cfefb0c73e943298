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
	if testing.Short() {
		t.Skip("starts engines")
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
