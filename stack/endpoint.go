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

	"github.com/docker/docker/api/types/container"
)

// loopback is where the ports of a stack are published, on an engine of this machine.
const loopback = "127.0.0.1"

// shortID is how much of an id the engine takes into a name.
const shortID = 12

// ErrNotPublished says that a port of a service leads nowhere now: the
// container is not running, or nothing publishes it.
var ErrNotPublished = errors.New("port is not published")

// Endpoint gives the address that leads to a port of a service, as it is now:
// an ephemeral port changes whenever its container starts again.
// Errors: ErrNoContainer, ErrNotPublished, or what the engine said.
func (s *containers) Endpoint(ctx context.Context, service string, port uint16) (Endpoint, error) {
	state, err := s.Inspect(ctx, service)
	if err != nil {
		return Endpoint{}, err
	}
	for _, endpoint := range state.Ports {
		if endpoint.Target == port {
			return endpoint, nil
		}
	}
	return Endpoint{}, fmt.Errorf("find port %d of %s (%s): %w", port, service, state.State, ErrNotPublished)
}

// Reach gives the shortest way from here to a port of a service, as it is now:
// the container's own address where a bridge of this machine leads to it, and
// otherwise its [Endpoint]. The engine itself forwards a published port to that
// address, through a process that costs more than many a query.
//
// A stack with Options.Isolatable always gives the Endpoint: when a service is
// cut off, the engine ends the connections through a published port at once,
// and those to an address that is gone would hang.
// Errors: as those of Endpoint; on the direct way a running container's port
// need not be published, so that there ErrNotPublished says that it does not run.
func (s *containers) Reach(ctx context.Context, service string, port uint16) (Endpoint, error) {
	if !s.direct {
		return s.Endpoint(ctx, service, port)
	}
	raw, err := s.inspect(ctx, service)
	if err != nil {
		return Endpoint{}, err
	}
	if address := s.engine.place.bridged(raw); address != "" {
		return Endpoint{Address: address, Port: port, Target: port}, nil
	}
	return s.Endpoint(ctx, service, port)
}

// bridged gives the address of a running container in a network whose bridge
// is an interface of this machine, or "". The bridge has its network's id in
// its name, so no other engine's network of the same addresses is meant.
//
// Source: Docker documentation, "Bridge network driver": com.docker.network.bridge.name.
func (p place) bridged(raw container.InspectResponse) string {
	if p.remote || !raw.State.Running {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(raw.NetworkSettings.Networks)) {
		one := raw.NetworkSettings.Networks[name]
		if len(one.NetworkID) < shortID || one.IPAddress == "" {
			continue
		}
		bridge, err := net.InterfaceByName("br-" + one.NetworkID[:shortID])
		if err != nil {
			continue
		}
		if addresses, err := bridge.Addrs(); err == nil && leads(addresses, one.IPAddress) {
			return one.IPAddress
		}
	}
	return ""
}

// leads says whether an interface with these addresses is in one subnet with
// another address. A bridge may have none: no way leads over it then.
//
// Source: Docker documentation, "Bridge network driver": inhibit_ipv4, gateway_mode isolated.
func leads(addresses []net.Addr, to string) bool {
	ip := net.ParseIP(to)
	return slices.ContainsFunc(addresses, func(one net.Addr) bool {
		subnet, ok := one.(*net.IPNet)
		return ok && subnet.Contains(ip)
	})
}

func (p place) endpoints(raw container.InspectResponse) []Endpoint {
	var found []Endpoint
	for port, bindings := range raw.NetworkSettings.Ports {
		if port.Proto() != "tcp" {
			continue
		}
		for _, binding := range bindings {
			published, err := strconv.ParseUint(binding.HostPort, 10, 16)
			if err != nil {
				continue // a container that is just starting has a binding without a port
			}
			found = append(found, Endpoint{
				Address: p.reach(binding.HostIP),
				Port:    uint16(published), Target: uint16(port.Int()), //nolint:gosec // the engine's ports fit
			})
		}
	}
	return found
}

func isLoopback(name string) bool {
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}
