package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestQuantileIsAMeasuredValue(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for percent, want := range map[int]time.Duration{0: 1, 1: 1, 50: 50, 95: 95, 99: 99, 100: 100} {
		assert.Equal(t, want, quantile(hundred, percent), "%d percent", percent)
	}
	assert.Equal(t, time.Duration(2), quantile([]time.Duration{1, 2, 3}, 50))
	assert.Equal(t, time.Duration(3), quantile([]time.Duration{1, 2, 3}, 99))
	assert.Equal(t, time.Duration(7), quantile([]time.Duration{7}, 50))
}

func TestLSNDisorder(t *testing.T) {
	inOrder := pair.WALSender{Sent: 0x50, Write: 0x40, Flush: 0x30, Replay: 0x20}
	assert.Empty(t, lsnDisorder(inOrder, 0x60))
	assert.Empty(t, lsnDisorder(pair.WALSender{Sent: 9, Write: 9, Flush: 9, Replay: 9}, 9))
	assert.Equal(t, "sent 0/50 is 16 bytes beyond current 0/40", lsnDisorder(inOrder, 0x40))

	late := inOrder
	late.Flush = 0x48
	assert.Equal(t, "flush 0/48 is 8 bytes beyond write 0/40", lsnDisorder(late, 0x60))
	unknown := inOrder
	unknown.Replay = 0
	assert.Equal(t, "position replay is not known", lsnDisorder(unknown, 0x60))
}
