package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soundHistory is one that nothing is wrong with: two writers, an outcome of
// each kind, two sessions of a reader, the second on a server that began anew.
func soundHistory() history {
	a1, a2, a3, b1, b2 := transactionID(1, 1), transactionID(1, 2), transactionID(1, 3), transactionID(2, 1), transactionID(2, 2)
	ms := time.Millisecond
	return history{
		Appends: []appended{
			{ID: a1, Outcome: Acknowledged, Began: 1 * ms, Ended: 4 * ms, LSN: 100},
			{ID: b1, Outcome: Acknowledged, Began: 2 * ms, Ended: 3 * ms, LSN: 90}, // before a1, while it ran
			{ID: a2, Outcome: Unknown, Began: 5 * ms, Ended: 6 * ms},               // kept
			{ID: b2, Outcome: Refused, Began: 5 * ms, Ended: 6 * ms},
			{ID: a3, Outcome: Acknowledged, Began: 7 * ms, Ended: 8 * ms, LSN: 300},
		},
		Order: []int64{b1, a1, a2, a3},
		Pages: []int64{a1, a2, a3, b1},
		Snapshots: []snapshot{
			{Session: 1, At: 2 * ms, Replayed: 50, Position: 0, Book: nil, Pages: nil},
			{Session: 1, At: 5 * ms, Replayed: 100, Position: 2, Book: []int64{b1, a1}, Pages: []int64{a1, b1}},
			{Session: 2, At: 6 * ms, Replayed: 95, Position: 1, Book: []int64{b1}, Pages: []int64{b1}},
			{Session: 2, At: 9 * ms, Replayed: 300, Position: 4, Book: []int64{b1, a1, a2, a3}, Pages: []int64{a1, a2, a3, b1}},
		},
	}
}

func TestJudgeFindsNothingInASoundHistory(t *testing.T) {
	assert.Empty(t, soundHistory().judge())
	assert.Equal(t, Account{Acknowledged: 3, Unknown: 1, UnknownKept: 1}, soundHistory().account())
	assert.Empty(t, history{}.judge())
}

func TestJudgeFindsBrokenHistories(t *testing.T) {
	without := func(ids []int64, id int64) []int64 {
		return slices.DeleteFunc(slices.Clone(ids), func(one int64) bool { return one == id })
	}
	a1, a2, a3, b1, b2 := transactionID(1, 1), transactionID(1, 2), transactionID(1, 3), transactionID(2, 1), transactionID(2, 2)
	for name, test := range map[string]struct {
		breakIt func(h *history)
		says    string
	}{
		"a lost write": {func(h *history) {
			h.Order, h.Pages = without(h.Order, a3), without(h.Pages, a3)
			h.Snapshots = h.Snapshots[:3]
		}, "lost: 1 of 3 acknowledged transactions are not on the primary, the first is transaction 3 of writer 1"},
		"a lost write that the standby has shown": {func(h *history) {
			h.Order, h.Pages = without(h.Order, a3), without(h.Pages, a3)
		}, "no prefix: the standby, 9ms after the beginning, in reader's session 2, shows transaction 3 of writer 1 at position 4, the primary has 3 positions"},
		"an undead write": {func(h *history) {
			h.Order, h.Pages = append(h.Order, b2), append(h.Pages, b2)
		}, "undead: 1 transactions that were refused are on the primary, the first is transaction 2 of writer 2"},
		"a write of nobody": {func(h *history) {
			h.Order, h.Pages = append(h.Order, 7), append([]int64{7}, h.Pages...)
		}, "invented: position 5 holds transaction 7 of writer 0, which nobody wrote"},
		"a write that is there twice": {func(h *history) {
			h.Order, h.Pages = append(h.Order, a3), slices.Sorted(slices.Values(append(h.Pages, a3)))
		}, "invented: transaction 3 of writer 1 is there twice, the second time at position 5"},
		"a torn transaction on the primary": {func(h *history) {
			h.Pages = without(h.Pages, a2)
		}, "torn: on the primary transaction 2 of writer 1 is only in the first of two tables"},
		"commits against the clock": {func(h *history) {
			h.Order = []int64{b1, a3, a1, a2}
			h.Snapshots = nil
		}, "reordered: transaction 1 of writer 1 was acknowledged before transaction 3 of writer 1 began, and was committed after it"},
		"a torn transaction on the standby": {func(h *history) {
			h.Snapshots[1].Pages = []int64{b1}
		}, "torn: the standby, 5ms after the beginning, in reader's session 1, shows transaction 1 of writer 1 only in the first of two tables that one transaction wrote"},
		"a torn transaction, the other half": {func(h *history) {
			h.Snapshots[2].Pages = []int64{a1, b1}
		}, "torn: the standby, 6ms after the beginning, in reader's session 2, shows transaction 1 of writer 1 only in the second of two tables that one transaction wrote"},
		"a torn transaction, the counter": {func(h *history) {
			h.Snapshots[1].Position = 3
		}, "torn: the standby, 5ms after the beginning, in reader's session 1, shows 2 transactions, the row that counts them says 3"},
		"a later commit without an earlier one": {func(h *history) {
			h.Snapshots[1].Book, h.Snapshots[1].Pages = []int64{b1, a2}, []int64{a2, b1}
		}, "no prefix: the standby, 5ms after the beginning, in reader's session 1, shows transaction 2 of writer 1 at position 2, where the primary has transaction 1 of writer 1"},
		"commits in another order on the standby": {func(h *history) {
			h.Snapshots[1].Book = []int64{a1, b1}
		}, "no prefix: the standby, 5ms after the beginning, in reader's session 1, shows transaction 1 of writer 1 at position 1, where the primary has transaction 1 of writer 2"},
		"a backwards read": {func(h *history) {
			h.Snapshots[2].Session, h.Snapshots[3].Session = 1, 1
		}, "backwards: the standby, 6ms after the beginning, in reader's session 1, shows 1 transactions, the same session showed 2 before"},
		"less than the standby says that it has replayed": {func(h *history) {
			h.Snapshots[2].Replayed = 100
		}, "stale: the standby, 6ms after the beginning, in reader's session 2, does not show transaction 1 of writer 1, committed by 0/64, though it said that it had replayed 0/64"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := soundHistory()
			test.breakIt(&broken)
			found := broken.judge()
			require.NotEmpty(t, found)
			assert.Contains(t, found, test.says)
		})
	}
}
