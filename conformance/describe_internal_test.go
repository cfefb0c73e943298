package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestTailSkipsBlankLines(t *testing.T) {
	assert.Equal(t, []string{"two", "three"}, tail("one\n\n  two\t\nthree\n\n", 2))
	assert.Equal(t, []string{"one"}, tail("one", 2))
	assert.Empty(t, tail("\n \n", 2))
}

func TestTheLastLineWithATextIsFound(t *testing.T) {
	const log = "FATAL: a\nLOG: b\n  FATAL: c  \nLOG: d\n"
	assert.Equal(t, "FATAL: c", lastLineWith(log, "PANIC", "FATAL"))
	assert.Empty(t, lastLineWith(log, "PANIC"))
	assert.Empty(t, lastLineWith(log))
}

// speaking is an operator whose containers have all ended.
type speaking struct{ Operator }

func (speaking) Inspect(context.Context, string) (Container, error) {
	return Container{State: "exited", ExitCode: 1}, nil
}

func (speaking) Logs(_ context.Context, node string, _ time.Time) (string, error) {
	return "FATAL: " + node + " ends\n", nil
}

func TestAFailedFaultTellsWhatBecameOfTheServers(t *testing.T) {
	servers := &pair.Pair{Primary: pair.NewNode("first", nil), Standbys: []*pair.Node{pair.NewNode("second", nil)}}
	for name, row := range map[string]struct {
		disturbs bool
		act      func(c *C)
		told     []string
	}{
		"failed":            {true, func(c *C) { c.Errorf("wrong") }, []string{"first: container exited, exit code 1; its log ends:\n  FATAL: first ends", "second: container exited, exit code 1; its log ends:\n  FATAL: second ends"}},
		"told of one":       {true, func(c *C) { c.Errorf("wrong\n%s", c.describe(servers.Primary)) }, []string{"second: container exited, exit code 1; its log ends:\n  FATAL: second ends"}},
		"passed":            {true, func(*C) {}, nil},
		"skipped":           {true, func(c *C) { c.Skipf("no need") }, nil},
		"failed, no faults": {false, func(c *C) { c.Errorf("wrong") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := &C{target: &Target{Pair: servers, Operator: speaking{}}, check: Check{ID: "crash/made-up", Disturbs: row.disturbs, Run: row.act}}
			(&runner{target: c.target}).execute(t.Context(), c)
			assert.Equal(t, row.told, c.log)
		})
	}
}
