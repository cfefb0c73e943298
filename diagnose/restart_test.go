package diagnose_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// TestRestartsForEver tells a server that ends at each start from a standby
// that waits for its primary in this way.
func TestRestartsForEver(t *testing.T) {
	const says = `[1] FATAL:  could not load server certificate file "server.crt": No such file or directory`
	restarting := diagnose.Container{State: "restarting", Restart: "always", Restarts: 3, ExitCode: 1}
	standby := func(answered float64) *diagnose.Evidence {
		evidence := pairOf(answered, diagnose.Service{}, says)
		evidence.Servers[1].Container = restarting
		return evidence
	}
	primary := pairOf(0, diagnose.Service{Container: restarting}, "waiting")
	primary.Servers[0].Log = []diagnose.Line{{At: second(1), Text: says}, {At: second(2), Text: says}}
	for name, test := range map[string]struct {
		evidence   *diagnose.Evidence
		conclusive bool
	}{
		"a standby, while the primary answers":             {standby(0.5), true},
		"a standby, once since the primary answers":        {standby(3.5), false},
		"a standby, before the primary answers":            {standby(0), false},
		"the primary, for which nobody need be waited for": {primary, true},
	} {
		t.Run(name, func(t *testing.T) {
			found := diagnose.Of(test.evidence)
			assert.Equal(t, "container-restarts", found.ID)
			assert.Equal(t, test.conclusive, found.Conclusive)
		})
	}
}
