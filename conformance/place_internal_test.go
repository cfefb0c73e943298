package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlaceIsThatOfTheRule(t *testing.T) {
	assert.Regexp(t, `^conformance/teardown\.go:\d+$`, Check{Run: stopsCleanly}.place())
	assert.Empty(t, Check{}.place())
}
