package pairtest

import (
	"context"
	"slices"
	"sync"
)

// layers are faults that change one thing, the oldest first. The newest counts;
// when none is left, the thing is what it was before the first. They may end in
// any order.
type layers struct {
	mutex    sync.Mutex
	inForce  []*layer
	original func(context.Context) error // puts back what was before the first
}

// layer is what one fault makes of the thing.
type layer struct {
	apply func(context.Context) error // once more, when a newer one has ended
}

func (l *layers) begin(one *layer, restore func(context.Context) error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.inForce) == 0 {
		l.original = restore
	}
	l.inForce = append(l.inForce, one)
}

// end takes a layer away, and has what is left count.
func (l *layers) end(ctx context.Context, one *layer) error {
	return l.without(one)(ctx)
}

func (l *layers) without(one *layer) func(context.Context) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !slices.Contains(l.inForce, one) { // its strike has failed
		return func(context.Context) error { return nil }
	}
	l.inForce = slices.DeleteFunc(l.inForce, func(other *layer) bool { return other == one })
	if len(l.inForce) == 0 {
		return l.original
	}
	return l.inForce[len(l.inForce)-1].apply
}
