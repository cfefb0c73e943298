package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlaceIsThatOfTheRule(t *testing.T) {
	assert.Regexp(t, `^conformance/teardown\.go:\d+$`, Check{Run: stopsCleanly}.place())
	assert.Empty(t, Check{}.place())
}

func TestFolderIsThatOfThePackage(t *testing.T) {
	for name, test := range map[string]struct{ function, folder string }{
		"a check of the suite":             {module + "conformance.stopsCleanly", "conformance"},
		"a method":                         {module + "conformance.(*C).Stop-fm", "conformance"},
		"a check beside the package":       {module + "conformance_test.literalBytes", "conformance"},
		"a check of another module's test": {"example.org/app_test.isPaid", ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.folder, folderOf(test.function)) })
	}
}

// Who looks on must not stand in the place of the rule.
func TestAnnouncedCheckKeepsItsPlace(t *testing.T) {
	var announced []string
	runner := unitRunner()
	runner.announce = func(check Check) { announced = append(announced, check.ID) }
	pass, skip := func(*C) {}, Needs{Standbys: 2}
	result := runner.run(t.Context(), Check{ID: "unit/runs", Run: pass})
	runner.run(t.Context(), Check{ID: "unit/is-skipped", Needs: skip, Run: pass})
	assert.Equal(t, []string{"unit/runs"}, announced)
	assert.Regexp(t, `^conformance/place_internal_test\.go:\d+$`, result.Check.place())
}
