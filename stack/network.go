package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/containerd/errdefs"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// watchNetwork begins the name of a service's own network, on which nobody
// else is. While the service is cut off from its project's networks, the
// harness still sees it there: its published ports stay reachable. It is made
// when it is needed: an engine takes its time over each network.
const watchNetwork = "pms-watch-"

const (
	// firstPackets is how often the kernel repeats the first packet of a connection.
	firstPackets = "net.ipv4.tcp_syn_retries"
	// fewFirstPackets makes it give up after 7 s instead of 127 s. The engine
	// resolves names of a network before it has made the interface to it: a
	// connection begun in between goes out by way of the watch network, which
	// leads nowhere, and would hang long after the service is connected again.
	fewFirstPackets = "2"
)

// ErrNotIsolatable says that a stack was started without what Isolate needs, or
// that a service has a network mode in the place of networks.
var ErrNotIsolatable = errors.New("service cannot be isolated: the stack was not started with Options.Isolatable, or the service has a network_mode")

// addWatchNetworks gives a network of their own to those services of a loaded
// model that publish ports and that nobody would reach there.
func addWatchNetworks(project *types.Project, labels map[string]string) {
	for name, service := range project.Services {
		if len(service.Ports) == 0 || service.NetworkMode != "" || !internal(project, service) {
			continue // with a network mode, such as bridge, a service can have no networks
		}
		key := watchNetwork + name
		project.Networks[key] = types.NetworkConfig{
			Name: project.Name + "_" + key, CustomLabels: merged(nil, labels),
		}
		service.Networks = maps.Clone(service.Networks)
		service.Networks[key] = nil
		project.Services[name] = service
	}
}

// expectIsolation prepares a loaded model's services for Isolate.
func expectIsolation(project *types.Project) {
	for name, service := range project.Services {
		if service.NetworkMode != "" {
			continue
		}
		service.Sysctls = maps.Clone(service.Sysctls)
		if service.Sysctls == nil {
			service.Sysctls = types.Mapping{}
		}
		if _, told := service.Sysctls[firstPackets]; !told {
			service.Sysctls[firstPackets] = fewFirstPackets
		}
		project.Services[name] = service
	}
}

// internal says whether a service is on internal networks only, where its
// published ports lead nowhere.
//
// Source: compose specification, networks: internal.
func internal(project *types.Project, service types.ServiceConfig) bool {
	for key := range service.Networks {
		if !project.Networks[key].Internal {
			return false
		}
	}
	return len(service.Networks) > 0
}

// Isolate cuts a service off from every other one of the project, in both
// directions, while its published ports stay reachable. Reconnect heals it.
// When Isolate fails, nothing is cut.
// Errors: ErrNotIsolatable, ErrNoContainer, or what the engine said.
func (s *Stack) Isolate(ctx context.Context, service string) error {
	if !s.options.Isolatable {
		return fmt.Errorf("isolate %s: %w", service, ErrNotIsolatable)
	}
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return fmt.Errorf("isolate %s: %w", service, err)
	}
	defer done()
	err = s.act(ctx, "isolate", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		if !state.HostConfig.NetworkMode.IsUserDefined() {
			return ErrNotIsolatable
		}
		if err := s.watch(ctx, engine, service, state); err != nil {
			return err
		}
		attached := attachments(state)
		s.remember(service, attached) // before: an engine may cut and then not answer
		for _, one := range attached {
			if err := engine.NetworkDisconnect(ctx, one.network, id, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, s.Reconnect(context.WithoutCancel(ctx), service))
	}
	return nil
}

// watch connects a service's container to its watch network. Both stay until
// they are removed.
func (s *Stack) watch(ctx context.Context, engine client.APIClient, service string, state container.InspectResponse) error {
	name := s.name + "_" + watchNetwork + service
	if _, connected := state.NetworkSettings.Networks[name]; connected {
		return nil
	}
	labels := merged(s.labels(), map[string]string{api.ProjectLabel: s.name, api.NetworkLabel: watchNetwork + service})
	_, err := engine.NetworkCreate(ctx, name, network.CreateOptions{Driver: "bridge", Labels: labels})
	if err != nil && !errdefs.IsConflict(err) { // of an earlier container of the service
		return err
	}
	return engine.NetworkConnect(ctx, name, state.ID, &network.EndpointSettings{})
}

// removeWatchNetworks removes those that Isolate has made: the SDK does not
// know of them.
func (r remnants) removeWatchNetworks(ctx context.Context, engine client.APIClient) error {
	var errs []error
	for _, one := range r.networks {
		if !strings.Contains(one.Name, "_"+watchNetwork) {
			continue
		}
		if err := engine.NetworkRemove(ctx, one.ID); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove network %s: %w", one.Name, err))
		}
	}
	return errors.Join(errs...)
}

// attachment is how a container was connected to a network.
type attachment struct {
	network  string
	settings *network.EndpointSettings
}

// attachments are a container's connections to networks that others share.
func attachments(state container.InspectResponse) []attachment {
	var found []attachment
	for _, name := range slices.Sorted(maps.Keys(state.NetworkSettings.Networks)) {
		if strings.Contains(name, "_"+watchNetwork) {
			continue
		}
		now := state.NetworkSettings.Networks[name]
		found = append(found, attachment{network: name, settings: &network.EndpointSettings{
			// Without these the service would come back under no name that others know.
			Aliases:    now.Aliases,
			Links:      now.Links,
			IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: now.IPAddress, IPv6Address: now.GlobalIPv6Address},
		}})
	}
	return found
}

// remember notes how a service was connected. One that is cut off already is
// connected to nothing, and what was noted at the first cut stays.
func (s *Stack) remember(service string, attached []attachment) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.cut == nil {
		s.cut = map[string]map[string]attachment{}
	}
	if s.cut[service] == nil {
		s.cut[service] = map[string]attachment{}
	}
	for _, one := range attached {
		s.cut[service][one.network] = one
	}
}

// wasAttached gives what was noted, by the networks' names.
func (s *Stack) wasAttached(service string) []attachment {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []attachment
	for _, name := range slices.Sorted(maps.Keys(s.cut[service])) {
		found = append(found, s.cut[service][name])
	}
	return found
}

// Reconnect connects a service that Isolate has cut off again as it was before
// the first cut, addresses and aliases included. One that was not cut off is
// left alone.
// Errors: ErrNoContainer, or what the engine said.
func (s *Stack) Reconnect(ctx context.Context, service string) error {
	return s.act(ctx, "connect", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		for _, one := range s.wasAttached(service) {
			if _, connected := state.NetworkSettings.Networks[one.network]; connected {
				continue
			}
			if err := connectAs(ctx, engine, id, one); err != nil {
				return err
			}
		}
		return nil
	})
}

// connectAs connects a container as it was before, with its address if it can be had.
func connectAs(ctx context.Context, engine client.APIClient, id string, was attachment) error {
	err := engine.NetworkConnect(ctx, was.network, id, was.settings)
	if errdefs.IsPermissionDenied(err) || errdefs.IsInvalidArgument(err) {
		// Only networks with a configured subnet take a wanted address.
		settings := *was.settings
		settings.IPAMConfig = nil
		err = engine.NetworkConnect(ctx, was.network, id, &settings)
	}
	return err
}
