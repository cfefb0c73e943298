package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
