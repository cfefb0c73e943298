package stack

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// chunkSize is how many bytes pass the relay at once, at most.
	chunkSize = 16 << 10
	// chunksOnTheWay bounds what the relay holds of each direction. A full
	// relay stops reading, and its sender feels that, as on a slow network.
	chunksOnTheWay = 64
	// dialLimit bounds a connection to the far end.
	dialLimit = 5 * time.Second
)

// shape is what a relay does to the traffic.
type shape struct {
	delay time.Duration
	rate  int64 // bytes per second in each direction; 0 is no bound
	cut   bool  // nothing passes

	changed chan struct{} // closed when another shape takes the place of this one
}

// due is when a chunk has gone over the line: delayed since it came, behind
// the ones before it, which keep the line busy until then.
func (s *shape) due(came, busy time.Time, size int) time.Time {
	begin := came.Add(s.delay)
	if s.rate <= 0 {
		return begin
	}
	if busy.After(begin) {
		begin = busy
	}
	return begin.Add(time.Duration(int64(size) * int64(time.Second) / s.rate))
}

// relay passes TCP connections on, byte for byte, in the shape it is given.
// Nothing is ever dropped or reordered within a connection.
type relay struct {
	listener net.Listener
	dial     func(context.Context) (net.Conn, error)

	life  context.Context //nolint:containedctx // ends with close
	end   context.CancelFunc
	group sync.WaitGroup
	first chan struct{} // closed at the first connection

	mutex sync.Mutex
	now   *shape
}

// newRelay serves a listener, which it closes at its end.
func newRelay(ctx context.Context, listener net.Listener, dial func(context.Context) (net.Conn, error)) *relay {
	r := &relay{listener: listener, dial: dial, first: make(chan struct{}), now: &shape{changed: make(chan struct{})}}
	r.life, r.end = context.WithCancel(context.WithoutCancel(ctx))
	r.group.Go(r.accept)
	return r
}

// reshape changes what happens to all traffic from now on, also to that which
// is on the way.
func (r *relay) reshape(change func(*shape)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	next := *r.now
	change(&next)
	next.changed = make(chan struct{})
	close(r.now.changed)
	r.now = &next
}

func (r *relay) shape() *shape {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.now
}

// close ends all connections and returns when no goroutine is left.
func (r *relay) close() error {
	r.end()
	err := r.listener.Close()
	r.group.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		select {
		case <-r.first:
		default:
			close(r.first)
		}
		r.group.Go(func() { r.join(near) })
	}
}

// join connects an accepted connection to the far end and passes on both
// directions until both have ended or one has failed.
func (r *relay) join(near net.Conn) {
	life, end := context.WithCancel(r.life)
	defer end()
	ends := []net.Conn{near}
	defer func() { closeAll(ends) }()
	stopNear := context.AfterFunc(life, func() { closeAll([]net.Conn{near}) })
	defer stopNear()
	ctx, cancel := context.WithTimeout(life, dialLimit)
	far, err := r.dial(ctx)
	cancel()
	if err != nil {
		return // the near end sees its connection closed, as when nobody listens
	}
	ends = append(ends, far)
	stopFar := context.AfterFunc(life, func() { closeAll([]net.Conn{far}) })
	defer stopFar()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			if err := r.pass(life, way[0], way[1]); err != nil {
				end()
			}
		})
	}
	both.Wait()
}

func closeAll(connections []net.Conn) {
	for _, one := range connections {
		_ = one.Close() // it may be closed already, and all that counted was passed on
	}
}

// chunk is some bytes and when they came.
type chunk struct {
	bytes []byte
	came  time.Time
}

// pass copies one direction. The end of the stream is passed on as well.
func (r *relay) pass(ctx context.Context, from, to net.Conn) error {
	onTheWay := make(chan chunk, chunksOnTheWay)
	var reading sync.WaitGroup
	var failed error
	reading.Go(func() {
		defer close(onTheWay)
		failed = receive(ctx, from, onTheWay)
	})
	err := r.deliver(ctx, onTheWay, to)
	if err != nil {
		_ = from.Close() // what cannot be delivered need not be received
		for range onTheWay {
		}
	}
	reading.Wait()
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// receive reads until the stream ends.
func receive(ctx context.Context, from io.Reader, onTheWay chan<- chunk) error {
	for {
		buffer := make([]byte, chunkSize)
		size, err := from.Read(buffer)
		if size > 0 {
			select {
			case onTheWay <- chunk{bytes: buffer[:size], came: time.Now()}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// deliver writes each chunk when it is due.
func (r *relay) deliver(ctx context.Context, onTheWay <-chan chunk, to io.Writer) error {
	var busy time.Time
	for one := range onTheWay {
		due, err := r.await(ctx, one, busy)
		if err != nil {
			return err
		}
		busy = due
		if _, err := to.Write(one.bytes); err != nil {
			return err
		}
	}
	return nil
}

// await waits until a chunk is due, in whatever shape the relay is by then.
func (r *relay) await(ctx context.Context, one chunk, busy time.Time) (due time.Time, err error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		shape := r.shape()
		due = shape.due(one.came, busy, len(one.bytes))
		var rings <-chan time.Time // never, while the line is cut
		if !shape.cut {
			timer.Reset(time.Until(due))
			rings = timer.C
		}
		select {
		case <-rings:
			return due, nil
		case <-shape.changed:
		case <-ctx.Done():
			return due, ctx.Err()
		}
	}
}
