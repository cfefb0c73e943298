package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/client"
)

// ErrUnreachable says that containers cannot reach a listener on this
// machine, so that no link can be had.
var ErrUnreachable = errors.New("containers cannot reach this process")

// desktopHost is the name under which engines that run in a virtual machine
// of their own show this machine's loopback to containers.
//
// Source: Docker Desktop documentation, "Networking".
const desktopHost = "host.docker.internal"

// Link is a way from one service to a port of another that leads through this
// process, where it can be made slow or cut. It passes bytes on unchanged.
// Whoever wants to use it connects to Host and Port from within the first
// service. It ends with Close, or with this process. Isolate does not cut it.
//
// Traffic control would need a kernel module and a privilege that a container
// does not have, and would change the container.
type Link struct {
	host  string
	port  uint16
	relay *relay
}

// Link makes a way from a service to a port of another. It proves that the
// service's container can reach it.
// Errors: ErrUnreachable, ErrNoContainer, or what the engine said.
func (s *Stack) Link(ctx context.Context, from, to string, port uint16) (*Link, error) {
	doors, err := s.doors(ctx, from)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, to); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		// Asked at each connection: a published port may change.
		endpoint, err := s.Endpoint(ctx, to, port)
		if err != nil {
			return nil, err
		}
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort(endpoint.Address, strconv.Itoa(int(endpoint.Port))))
	}
	var tried []string
	for _, door := range doors {
		link, err := s.open(ctx, from, door, dial)
		if err == nil {
			return link, nil
		}
		tried = append(tried, err.Error())
	}
	return nil, fmt.Errorf("link %s to %s: %w: %s", from, to, ErrUnreachable, strings.Join(tried, "; "))
}

// door is where this process may listen, and what containers call it.
type door struct{ listen, host string }

// doors are the ways by which a container may reach this process: the
// gateways of its networks where they are addresses of this machine, and the
// loopback where the engine forwards to it. Never every address: whoever is
// on this machine's network must not get in.
func (s *Stack) doors(ctx context.Context, service string) ([]door, error) {
	var found []door
	err := s.act(ctx, "find gateway of", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(state.NetworkSettings.Networks)) {
			if gateway := state.NetworkSettings.Networks[name].Gateway; gateway != "" {
				found = append(found, door{listen: gateway, host: gateway})
			}
		}
		return nil
	})
	return append(found, door{listen: loopback, host: desktopHost}), err
}

// open listens at a door and lets the container knock.
func (s *Stack) open(ctx context.Context, from string, door door, dial func(context.Context) (net.Conn, error)) (*Link, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(door.listen, "0"))
	if err != nil {
		return nil, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(fmt.Errorf("listen at %s: got no TCP address", door.listen), listener.Close())
	}
	link := &Link{host: door.host, port: address.AddrPort().Port(), relay: newRelay(ctx, listener, dial)}
	if err := s.knock(ctx, from, link); err != nil {
		return nil, errors.Join(err, link.Close())
	}
	return link, nil
}

// knock connects from a container. That its end says so is not enough: a
// proxy of the engine may have answered.
func (s *Stack) knock(ctx context.Context, from string, link *Link) error {
	const limit = 3 * time.Second
	ended, err := s.Exec(ctx, from, nil, "timeout", "2", "bash", "-c", `exec 3<>"/dev/tcp/$0/$1"`, link.host, strconv.Itoa(int(link.port)))
	if err != nil {
		return err
	}
	if ended.ExitCode != 0 {
		return fmt.Errorf("connect to %s: exit code %d: %s", link.host, ended.ExitCode, strings.TrimSpace(ended.Stderr))
	}
	arrival := time.NewTimer(limit)
	defer arrival.Stop()
	select {
	case <-link.relay.first:
		return nil
	case <-arrival.C:
		return fmt.Errorf("connect to %s: nothing arrives, something else has answered", link.host)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Host is the link's near end, as the first service calls it.
func (l *Link) Host() string { return l.host }

// Port is the port of the link's near end.
func (l *Link) Port() uint16 { return l.port }

// Delay makes every byte arrive so much later, in both directions; 0 is at once.
func (l *Link) Delay(delay time.Duration) { l.relay.reshape(func(s *shape) { s.delay = delay }) }

// Throttle lets pass so many bytes a second of each connection in each
// direction, at most; 0 is any number.
func (l *Link) Throttle(bytesPerSecond int64) {
	l.relay.reshape(func(s *shape) { s.rate = bytesPerSecond })
}

// Cut lets nothing pass any more, as a pulled cable does: connections stay
// open and are silent.
func (l *Link) Cut() { l.relay.reshape(func(s *shape) { s.cut = true }) }

// Mend undoes Delay, Throttle and Cut. What was on the way arrives.
func (l *Link) Mend() { l.relay.reshape(func(s *shape) { *s = shape{} }) }

// Close ends the link and every connection over it. It is safe to call twice.
func (l *Link) Close() error { return l.relay.close() }
