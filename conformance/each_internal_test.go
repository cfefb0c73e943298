package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestCheckRunsOnEachStandby(t *testing.T) {
	runner := unitRunner()
	runner.target.Pair.Standbys = []*pair.Node{pair.NewNode("one", nil), pair.NewNode("two", nil), pair.NewNode("three", nil)}
	on := func(name string, do func(c *C)) func(c *C) {
		return func(c *C) {
			if c.Pair().Standby().Name() == name {
				do(c)
			}
		}
	}
	for name, test := range map[string]struct {
		run     func(c *C)
		once    bool
		verdict Verdict
		reasons []string
	}{
		"right on all":              {run: func(*C) {}, verdict: Pass},
		"wrong on the last":         {run: on("three", func(c *C) { c.Errorf("saw %d", 7) }), verdict: Fail, reasons: []string{"three: saw 7"}},
		"broken on one, wrong else": {run: func(c *C) { on("two", func(*C) { panic("no") })(c); c.Errorf("saw 7") }, verdict: Error},
		"skipped on one":            {run: on("one", func(c *C) { c.Skipf("not here") }), verdict: Pass, reasons: []string{"one: not here"}},
		"skipped on all":            {run: func(c *C) { c.Skipf("not here") }, verdict: Skip, reasons: []string{"one: not here", "two: not here", "three: not here"}},
		"not asked to":              {run: on("three", func(c *C) { c.Errorf("saw 7") }), once: true, verdict: Pass},
	} {
		t.Run(name, func(t *testing.T) {
			result := runner.run(t.Context(), Check{ID: "unit/test", Each: !test.once, Run: test.run})
			assert.Equal(t, test.verdict, result.Verdict, "%v", result.Reasons)
			if test.verdict != Error { // its reasons hold a stack
				assert.Equal(t, test.reasons, result.Reasons)
			}
		})
	}
}

func TestFiguresOfEachStandbyHaveItsName(t *testing.T) {
	runner := unitRunner()
	runner.target.Pair.Standbys = []*pair.Node{pair.NewNode("one", nil), pair.NewNode("two", nil)}
	result := runner.run(t.Context(), Check{ID: "unit/test", Each: true, Run: func(c *C) { c.Measure("lag", 1, "ms") }})
	assert.Equal(t, []Figure{{"lag of one", 1, "ms"}, {"lag of two", 1, "ms"}}, result.Figures)
}
