package conformance

import (
	"context"
	"sync"
	"time"
)

// watchPace is the pause between two samples of a Watch.
const watchPace = 50 * time.Millisecond

// Watch is a value that is sampled while the check goes on.
type Watch struct {
	c          *C
	name, unit string
	end        context.CancelFunc
	ended      chan struct{}
	once       sync.Once

	mutex  sync.Mutex
	points [][2]float64
}

// Watch begins to sample a value, for a curve over the time since the check
// began. What cannot be read, while its server is down for instance, leaves a
// gap. It ends with Stop, after the check at the latest.
func (c *C) Watch(name, unit string, read func(context.Context) (float64, error)) *Watch {
	ctx, end := context.WithCancel(c.ctx)
	watch := &Watch{c: c, name: name, unit: unit, end: end, ended: make(chan struct{})}
	go func() {
		defer close(watch.ended)
		watch.sample(ctx, read)
	}()
	c.Cleanup(func(context.Context) error { watch.Stop(); return nil })
	return watch
}

func (w *Watch) sample(ctx context.Context, read func(context.Context) (float64, error)) {
	pace := time.NewTicker(watchPace)
	defer pace.Stop()
	for ctx.Err() == nil {
		if value, err := read(ctx); err == nil {
			w.mutex.Lock()
			w.points = append(w.points, [2]float64{w.c.Elapsed().Seconds(), value})
			w.mutex.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-pace.C:
		}
	}
}

// Stop ends the sampling and records the curve. Stopping twice is safe.
func (w *Watch) Stop() {
	w.end()
	<-w.ended
	w.once.Do(func() { w.c.Series(w.name, "s", w.unit, w.Points()) })
}

// Points gives the samples so far: seconds since the check began, and value.
func (w *Watch) Points() [][2]float64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return append([][2]float64(nil), w.points...)
}

// Max is the greatest value so far.
func (w *Watch) Max() float64 {
	greatest := 0.0
	for _, point := range w.Points() {
		greatest = max(greatest, point[1])
	}
	return greatest
}
