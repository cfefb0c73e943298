package stack

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The race detector tells when the options are read without their lock.
func TestOptionsAreReadWhileTheyChange(t *testing.T) {
	given := map[string][]string{"standby": {"postgres"}}
	s := &Stack{options: Options{Commands: given}}
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { s.originalCommand("standby") })
		group.Go(func() { _ = s.Options().Commands["standby"] })
	}
	group.Wait()
	assert.Empty(t, s.Options().Commands)
	assert.Len(t, given, 1, "the caller's stays as it is")
}
