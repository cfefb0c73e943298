package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// loopback is where the ports of a stack are published, on an engine of this machine.
const loopback = "127.0.0.1"

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
