package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// ErrRemoteEngine says that an engine is on another machine whose published
// ports cannot be reached from here.
var ErrRemoteEngine = errors.New("engine is on another machine, and nothing tells where its published ports answer")

// place is where an engine runs its containers, seen from here.
type place struct {
	engine string // the engine's address, as DOCKER_HOST or the docker context has it
	remote bool   // another machine: neither its files nor its loopback are this one's
	host   string // the address that ports are published on, and reached at
}

// locate finds an engine's place. Ports of an engine on another machine are
// published on the address at which the engine itself is asked: no wider than
// that, and whoever reaches the engine reaches them. A socket and a loopback
// address count as this machine's.
func locate(ctx context.Context, engine string) (place, error) {
	here := place{engine: engine, host: loopback}
	address, err := url.Parse(engine) // the engine has answered there, so it is an address of some kind
	if err != nil || slices.Contains([]string{"unix", "npipe", "fd"}, address.Scheme) || isLoopback(address.Hostname()) {
		return here, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", address.Hostname())
	if err != nil {
		return place{}, fmt.Errorf("reach engine at %s: %w: %w", engine, ErrRemoteEngine, err)
	}
	chosen := found[0]
	for _, one := range found {
		if one.Unmap().Is4() { // what an engine publishes on for certain
			chosen = one
			break
		}
	}
	return place{engine: engine, remote: true, host: chosen.Unmap().String()}, nil
}

// publish has the ports of a model, which are on this machine's loopback,
// published where they can be reached.
func (p place) publish(project *types.Project) {
	for name, service := range project.Services {
		service.Ports = slices.Clone(service.Ports)
		for i := range service.Ports {
			service.Ports[i].HostIP = p.host
		}
		project.Services[name] = service
	}
}

// reach turns the address that the engine binds a port to into one that can be
// connected to from here.
func (p place) reach(bound string) string {
	if ip := net.ParseIP(bound); p.remote || ip == nil || ip.IsUnspecified() {
		return p.host
	}
	return bound
}

// Remote says whether the engine is on another machine. Ports are then
// published on the address at which the engine is asked, not on loopback, and
// files that services mount are copied into their containers.
func (e *Engine) Remote() bool { return e.place.remote }
