package conformance

import (
	"crypto/rand"
	"strings"
)

// scratchPrefix begins the name of everything that a check creates, so that
// a reader of a server's catalog knows where it comes from.
const scratchPrefix = "conformance_"

// newScratch begins the names of one run: two runs on one cluster never meet,
// and what a run has left can be told from what others use.
func newScratch() string { return scratchPrefix + scratchWord() + "_" }

// scratchName gives a name of a check's own. It stays within the 63 bytes of a
// PostgreSQL identifier.
func scratchName(run string, check Check) string {
	const nameBytes = 32
	name := strings.NewReplacer("/", "_", "-", "_").Replace(check.ID)
	if len(name) > nameBytes {
		name = name[:nameBytes]
	}
	return run + name + "_" + scratchWord()
}

func scratchWord() string { return strings.ToLower(rand.Text()[:8]) }

// ScratchName gives one more name of the check's own, for objects that live
// outside its schema: roles, databases, slots. The check removes them.
func (c *C) ScratchName() string { return scratchName(c.scratch, c.check) }
