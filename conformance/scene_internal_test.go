package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSceneIsMadeOnceAndEndsWithAFailure(t *testing.T) {
	made := 0
	scene := &Scene{Make: func(*C) any { made++; return made }}
	other := &Scene{Make: func(*C) any { return "other" }}
	check := func(scene *Scene, run func(c *C)) Check {
		return Check{ID: "unit/test", Scene: scene, Run: run}
	}
	looks := func(want int) Check {
		return check(scene, func(c *C) { assert.Equal(t, want, sceneOf[int](c)) })
	}
	runner := unitRunner()
	run := func(check Check) Verdict { return runner.run(t.Context(), check).Verdict }

	assert.Equal(t, Pass, run(looks(1)))
	assert.Equal(t, Pass, run(looks(1)), "it is made once")
	assert.Equal(t, Pass, run(check(other, func(c *C) { assert.Equal(t, "other", sceneOf[string](c)) })))
	assert.Equal(t, Pass, run(looks(2)), "another scene has ended it")
	assert.Equal(t, Pass, run(check(nil, func(*C) {})))
	assert.Equal(t, Pass, run(looks(3)), "a check without a scene has ended it")
	assert.Equal(t, Fail, run(check(scene, func(c *C) { sceneOf[string](c) })), "a scene of another kind")
}

func TestSceneThatAFailedCheckLeftIsNotLookedAt(t *testing.T) {
	scene := &Scene{Make: func(*C) any { return 1 }}
	for name, test := range map[string]struct {
		reasons []string
		shows   bool
	}{
		"passed": {nil, true},
		"failed": {[]string{"broken"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			runner := unitRunner()
			check := Check{ID: "unit/test", Scene: scene, Consumes: true}
			runner.stage = stage{scene: scene, found: 1}
			runner.inspect(t.Context(), &C{check: check, reasons: test.reasons})
			assert.Equal(t, usedUp, runner.wear)
			assert.Equal(t, test.shows, runner.stage.shows(check))
		})
	}
}
