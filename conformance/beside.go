package conformance

import "sync"

// besideAtOnce is how many checks run at the same time: each takes several
// connections of a pool.
const besideAtOnce = 3

// besideRun runs checks that may run beside one another, in the order in which
// they were added. Package testing would let them go in any order, and a long
// one that begins last leaves processors idle.
type besideRun struct {
	run     func(Check) Result
	begin   sync.Once
	checks  []Check
	results []chan Result
}

// add gives a function that waits for the check's result. The first one that
// is called begins with all checks that were added by then.
func (b *besideRun) add(check Check) (result func() Result) {
	here := make(chan Result, 1)
	b.checks, b.results = append(b.checks, check), append(b.results, here)
	return func() Result {
		b.begin.Do(func() {
			go inParallel(len(b.checks), func(i int) { b.results[i] <- b.run(b.checks[i]) })
		})
		return <-here
	}
}

// inParallel does something count times, a few at a time, begun in order.
func inParallel(count int, do func(i int)) {
	var working sync.WaitGroup
	free := make(chan struct{}, besideAtOnce)
	for i := range count {
		free <- struct{}{}
		working.Go(func() {
			defer func() { <-free }()
			do(i)
		})
	}
	working.Wait()
}
