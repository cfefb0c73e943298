package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// reader repeats one query on a standby, as fast as it can, while the check
// writes on the primary.
type reader struct {
	session *Session
	sql     string
	judge   func(row []int64) string // says what is wrong with what was read, or ""
	atEnd   func()                   // called by verdict when the reading has ended; nil for nothing to do

	reads   atomic.Int64 // all of them
	changes atomic.Int64 // reads that saw something else than the read before

	stopping atomic.Bool // set by stop, or by the reader when it failed
	running  sync.WaitGroup

	// For the reader's goroutine, and for the check after stop.
	violations []string
	err        error
}

// startReader begins to read rows of integers. The check must call stop.
func (c *C) startReader(sql string, judge func(row []int64) string) *reader {
	r := &reader{session: c.Borrow(c.Pair().Standby()), sql: sql, judge: judge}
	r.running.Go(func() { r.err = r.read(c.ctx) })
	return r
}

// maxViolations is how many are worth telling.
const maxViolations = 5

func (r *reader) read(ctx context.Context) error {
	var last []int64
	for !r.stopping.Load() {
		row, err := r.once(ctx)
		if err != nil {
			r.stopping.Store(true)
			return fmt.Errorf("%s: %s: %w", r.session.node.Name(), r.sql, err)
		}
		r.reads.Add(1)
		if last != nil && !slices.Equal(row, last) {
			r.changes.Add(1)
		}
		last = row
		if wrong := r.judge(row); wrong != "" && len(r.violations) < maxViolations {
			r.violations = append(r.violations, fmt.Sprintf("%s: read %d gives %v", wrong, r.reads.Load(), row))
		}
	}
	return nil
}

func (r *reader) once(ctx context.Context) ([]int64, error) {
	rows, err := r.session.Query(ctx, r.sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]int64])
}

// more waits until so many more reads have ended.
func (r *reader) more(c *C, count int64) {
	wanted := r.reads.Load() + count
	c.Eventually(fmt.Sprintf("%d more reads on the standby", count), readingLimit, func(context.Context) (bool, string, error) {
		reads := r.reads.Load()
		return reads >= wanted || r.stopping.Load(), fmt.Sprintf("%d of %d reads", reads, wanted), nil
	})
}

// stop ends the reading and waits for its goroutine. It may be called again.
func (r *reader) stop() {
	r.stopping.Store(true)
	r.running.Wait()
}

// verdict stops the reader and tells the check what was wrong and how much was read.
func (r *reader) verdict(c *C) {
	r.stop()
	if r.atEnd != nil {
		r.atEnd()
	}
	if r.err != nil {
		c.Errorf("read on the standby: %v", r.err)
	}
	for _, violation := range r.violations {
		c.Errorf("%s", violation)
	}
	c.Measure("reads", float64(r.reads.Load()), "")
	c.Measure("changes-seen", float64(r.changes.Load()), "")
}
