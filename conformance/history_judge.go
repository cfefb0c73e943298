package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// appended is one transaction of a writer, as the writer saw it. It puts its
// id into two tables and takes the next position of a row that all writers
// lock until they commit: positions are given in the order of commits.
type appended struct {
	ID           int64
	Outcome      Outcome
	Began, Ended time.Duration // since the check began
	LSN          pair.LSN      // at or after its commit record; 0 unless acknowledged
}

// snapshot is what one statement on a standby saw.
type snapshot struct {
	Session  int           // the reader's connection: a new one may be served by a server that has begun anew
	At       time.Duration // when it had ended
	Replayed pair.LSN      // what the standby said before that it had replayed
	Position int64         // the last position given
	Book     []int64       // ids by position
	Pages    []int64       // ids of the other table, sorted
}

// history is what writers and readers saw, and what the primary holds in the
// end, when every writer's connection is gone.
type history struct {
	Appends   []appended
	Snapshots []snapshot // each session's in the order in which they were taken
	Order     []int64    // ids by position on the primary
	Pages     []int64    // ids of the other table there, sorted
}

// judge finds everything in a history that a primary with a standby must not
// do. Each violation is one sentence; only the first of a kind is told.
func (h history) judge() []string {
	var found []string
	for _, rule := range []func() string{
		h.lost, h.undead, h.invented, h.tornOnPrimary, h.reordered, h.torn, h.noPrefix, h.backwards, h.stale,
	} {
		if violation := rule(); violation != "" {
			found = append(found, violation)
		}
	}
	return found
}

// account counts what became of the writes: three outcomes, two states.
func (h history) account() Account {
	writes := make([]Write, 0, len(h.Appends))
	for _, one := range h.Appends {
		writes = append(writes, Write{ID: one.ID, Outcome: one.Outcome, Ended: one.Ended})
	}
	held := slices.Clone(h.Order)
	slices.Sort(held)
	return settle(writes, held)
}

func (h history) lost() string {
	if account := h.account(); len(account.Lost) > 0 {
		return fmt.Sprintf("lost: %d of %d acknowledged transactions are not on the primary, the first is %s",
			len(account.Lost), account.Acknowledged, named(account.Lost[0]))
	}
	return ""
}

func (h history) undead() string {
	if account := h.account(); len(account.Undead) > 0 {
		return fmt.Sprintf("undead: %d transactions that were refused are on the primary, the first is %s", len(account.Undead), named(account.Undead[0]))
	}
	return ""
}

func (h history) invented() string {
	known := map[int64]bool{}
	for _, one := range h.Appends {
		known[one.ID] = true
	}
	seen := map[int64]bool{}
	for position, id := range h.Order {
		switch {
		case !known[id]:
			return fmt.Sprintf("invented: position %d holds %s, which nobody wrote", position+1, named(id))
		case seen[id]:
			return fmt.Sprintf("invented: %s is there twice, the second time at position %d", named(id), position+1)
		}
		seen[id] = true
	}
	return ""
}

func (h history) tornOnPrimary() string {
	if id, where := difference(h.Order, h.Pages); where != "" {
		return fmt.Sprintf("torn: on the primary %s is only in the %s of two tables", named(id), where)
	}
	return ""
}

// reordered compares the order of commits with the clock: what was
// acknowledged before something else began comes before it.
func (h history) reordered() string {
	byID := map[int64]appended{}
	for _, one := range h.Appends {
		byID[one.ID] = one
	}
	// From the end: the earliest acknowledgement of what comes later.
	var earliest *appended
	for position := len(h.Order) - 1; position >= 0; position-- {
		one := byID[h.Order[position]]
		if earliest != nil && earliest.Ended < one.Began {
			return fmt.Sprintf("reordered: %s was acknowledged before %s began, and was committed after it", named(earliest.ID), named(one.ID))
		}
		if one.Outcome == Acknowledged && (earliest == nil || one.Ended < earliest.Ended) {
			earliest = &one
		}
	}
	return ""
}

func (h history) torn() string {
	for _, seen := range h.Snapshots {
		if id, where := difference(seen.Book, seen.Pages); where != "" {
			return fmt.Sprintf("torn: %s shows %s only in the %s of two tables that one transaction wrote", at(seen), named(id), where)
		}
		if seen.Position != int64(len(seen.Book)) {
			return fmt.Sprintf("torn: %s shows %d transactions, the row that counts them says %d", at(seen), len(seen.Book), seen.Position)
		}
	}
	return ""
}

func (h history) noPrefix() string {
	for _, seen := range h.Snapshots {
		for i, id := range seen.Book {
			switch {
			case i >= len(h.Order):
				return fmt.Sprintf("no prefix: %s shows %s at position %d, the primary has %d positions", at(seen), named(id), i+1, len(h.Order))
			case h.Order[i] != id:
				return fmt.Sprintf("no prefix: %s shows %s at position %d, where the primary has %s", at(seen), named(id), i+1, named(h.Order[i]))
			}
		}
	}
	return ""
}

func (h history) backwards() string {
	last := map[int]snapshot{}
	for _, seen := range h.Snapshots {
		if before, ok := last[seen.Session]; ok && len(seen.Book) < len(before.Book) {
			return fmt.Sprintf("backwards: %s shows %d transactions, the same session showed %d before", at(seen), len(seen.Book), len(before.Book))
		}
		last[seen.Session] = seen
	}
	return ""
}

// stale compares what a standby shows with what it says: a transaction is
// visible once its commit record has been replayed.
func (h history) stale() string {
	position := map[int64]int{}
	for i, id := range h.Order {
		position[id] = i
	}
	for _, seen := range h.Snapshots {
		for _, one := range h.Appends {
			at1, held := position[one.ID]
			if one.LSN != 0 && one.LSN <= seen.Replayed && held && at1 >= len(seen.Book) {
				return fmt.Sprintf("stale: %s does not show %s, committed by %s, though it said that it had replayed %s",
					at(seen), named(one.ID), one.LSN, seen.Replayed)
			}
		}
	}
	return ""
}

// difference finds an id that only one of two tables holds.
func difference(book, pages []int64) (id int64, where string) {
	sorted := slices.Sorted(slices.Values(book))
	if slices.Equal(sorted, pages) {
		return 0, ""
	}
	for _, id := range sorted {
		if _, there := slices.BinarySearch(pages, id); !there {
			return id, "first"
		}
	}
	for _, id := range pages {
		if _, there := slices.BinarySearch(sorted, id); !there {
			return id, "second"
		}
	}
	return 0, "same table twice"
}

// writerShift leaves room for the writer's number above that of its transaction.
const writerShift = 32

func transactionID(writer int, count int64) int64 { return int64(writer)<<writerShift | count }

func named(id int64) string {
	return fmt.Sprintf("transaction %d of writer %d", id&(1<<writerShift-1), id>>writerShift)
}

func at(seen snapshot) string {
	return fmt.Sprintf("the standby, %s after the beginning, in reader's session %d,", seen.At.Round(time.Millisecond), seen.Session)
}
