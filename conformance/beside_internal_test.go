package conformance

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestChecksBesideOneAnotherBeginInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lasts = time.Second
		start := time.Now()
		var begun sync.Map // id to when
		beside := besideRun{run: func(check Check) Result {
			begun.Store(check.ID, time.Since(start))
			<-time.After(lasts)
			return Result{Check: check}
		}}
		var waits []func() Result
		for i := range 20 {
			waits = append(waits, beside.add(Check{ID: strconv.Itoa(i)}))
		}
		synctest.Wait()
		_, early := begun.Load("0")
		assert.False(t, early, "the first who waits begins")
		for i, wait := range slices.Backward(waits) {
			assert.Equal(t, strconv.Itoa(i), wait().Check.ID, "each gets its own result")
		}
		for i := range waits {
			at, _ := begun.Load(strconv.Itoa(i))
			assert.Equal(t, time.Duration(i/besideAtOnce)*lasts, at, "check %d", i)
		}
	})
}
