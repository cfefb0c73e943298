package conformance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Fault names what an operator can do to a node.
type Fault string

// The faults.
const (
	Stopped  Fault = "stop"    // within the grace period
	Killed   Fault = "kill"    // the container's first process gets a signal
	Paused   Fault = "pause"   // all processes of the container are frozen
	Isolated Fault = "isolate" // cut off from the other servers, still seen by the operator
	// Readdressed is stopped and started again at other addresses.
	Readdressed Fault = "readdress"
	DiskFull    Fault = "disk" // the volume of the data directory is full, or nearly so
	Slowed      Fault = "slow" // what comes from the primary comes late, or not at all
)

// Injector breaks one node and heals it. Acts that find the wanted state, such
// as pausing twice, are no error.
type Injector interface {
	// Unavailable says why a fault cannot be had here, or "".
	Unavailable(ctx context.Context, fault Fault) (reason string)
	// Stop stops a node within its grace period.
	Stop(ctx context.Context, node string) error
	// Start starts a stopped node. It does not wait for the server.
	Start(ctx context.Context, node string) error
	// Restart stops and starts a node.
	Restart(ctx context.Context, node string) error
	// Kill sends a signal, such as KILL, to the first process of a node's
	// container. With KILL it returns when the container has ended.
	Kill(ctx context.Context, node, signal string) error
	// Pause freezes all processes of a node.
	Pause(ctx context.Context, node string) error
	// Unpause lets a frozen node go on.
	Unpause(ctx context.Context, node string) error
	// Isolate cuts a node off from the other nodes, in both directions.
	Isolate(ctx context.Context, node string) error
	// Reconnect undoes Isolate: names and addresses are as before.
	Reconnect(ctx context.Context, node string) error
	// Readdress stops a node and starts it under the same name at other
	// addresses, where the platform lets it. It does not wait for the server.
	Readdress(ctx context.Context, node string) error
	// Recreate replaces a node's container by a new one and starts it; its
	// volumes go with it when asked. It does not wait for the server.
	Recreate(ctx context.Context, node string, withVolumes bool) error
	// FillDisk writes beside the data of a node until so many bytes are left
	// on its volume. Only servers with an Instance.DataSize can be filled.
	FillDisk(ctx context.Context, node string, leave int64) error
	// FreeDisk removes what FillDisk wrote, also while the node is down.
	FreeDisk(ctx context.Context, node string) error
	// Link makes a way from a node to the server of another that can be made
	// slow and cut. The caller closes it.
	Link(ctx context.Context, from, to string) (Link, error)
}

// Window is when a fault was in force, counted from the beginning of its check.
type Window struct {
	Fault    Fault
	Node     string
	From, To time.Duration
}

// Injection is a fault in force. It is healed after the check at the latest,
// whatever becomes of the check.
type Injection struct {
	c     *C
	fault Fault
	node  string
	from  time.Duration
	heal  func(context.Context) error

	mutex  sync.Mutex
	healed bool
}

// Stop stops a node; healing starts it.
func (c *C) Stop(node *pair.Node) *Injection {
	return c.Inject(Stopped, node, c.Operator().Stop, c.Operator().Start)
}

// Kill ends a node's container with SIGKILL; healing starts it.
func (c *C) Kill(node *pair.Node) *Injection {
	kill := func(ctx context.Context, name string) error { return c.Operator().Kill(ctx, name, "KILL") }
	return c.Inject(Killed, node, kill, c.Operator().Start)
}

// Pause freezes a node; healing lets it go on.
func (c *C) Pause(node *pair.Node) *Injection {
	return c.Inject(Paused, node, c.Operator().Pause, c.Operator().Unpause)
}

// Isolate cuts a node off from the others; healing connects it again.
func (c *C) Isolate(node *pair.Node) *Injection {
	return c.Inject(Isolated, node, c.Operator().Isolate, c.Operator().Reconnect)
}

// Inject breaks a node and sees to it that it is healed. A fault that the
// operator does not have skips the check with the reason.
func (c *C) Inject(fault Fault, node *pair.Node, act, heal func(ctx context.Context, node string) error) *Injection {
	if reason := c.Operator().Unavailable(c.ctx, fault); reason != "" {
		c.Skipf("fault %q cannot be had for %s: %s", fault, node.Name(), reason)
	}
	injected := &Injection{
		c: c, fault: fault, node: node.Name(), from: c.Elapsed(),
		heal: func(ctx context.Context) error { return heal(ctx, node.Name()) },
	}
	// A fault that failed half-way is healed as well.
	c.Cleanup(injected.end)
	if err := act(c.ctx, node.Name()); err != nil {
		c.Harness(fmt.Errorf("inject %s of %s: %w", fault, node.Name(), err))
	}
	return injected
}

// Heal ends the fault. Healing twice is safe.
func (i *Injection) Heal() { i.c.Harness(i.end(i.c.ctx)) }

func (i *Injection) end(ctx context.Context) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.healed {
		return nil
	}
	if err := i.heal(ctx); err != nil {
		return fmt.Errorf("heal %s of %s: %w", i.fault, i.node, err)
	}
	i.healed = true
	i.c.addWindow(Window{Fault: i.fault, Node: i.node, From: i.from, To: i.c.Elapsed()})
	return nil
}

// Elapsed is the time since the check began: the axis of windows and series.
func (c *C) Elapsed() time.Duration { return time.Since(c.began) }

func (c *C) addWindow(window Window) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.windows = append(c.windows, window)
}
