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
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// watchNetwork begins the name of a service's own network, on which nobody
// else is. While the service is cut off from its project's networks, the
// harness still sees it there: its published ports stay reachable.
const watchNetwork = "watch-"

// ErrNotIsolatable says that a stack was started without what Isolate needs.
var ErrNotIsolatable = errors.New("stack was not started with Options.Isolatable")

// addWatchNetworks gives each service of a loaded model a network of its own.
func addWatchNetworks(project *types.Project, labels map[string]string) {
	for name, service := range project.Services {
		if len(service.Ports) == 0 {
			continue
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

// Isolate cuts a service off from every other one of the project, in both
// directions, while its published ports stay reachable. The function it gives
// connects it again as it was, addresses and aliases included; it is safe to
// call twice.
// Errors: ErrNotIsolatable, ErrNoContainer, or what the engine said.
func (s *Stack) Isolate(ctx context.Context, service string) (heal func(context.Context) error, err error) {
	if !s.options.Isolatable {
		return nil, fmt.Errorf("isolate %s: %w", service, ErrNotIsolatable)
	}
	var cut []attachment
	heal = func(ctx context.Context) error { return s.connect(ctx, service, cut) }
	err = s.act(ctx, "isolate", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		for _, one := range attachments(state) {
			if err := engine.NetworkDisconnect(ctx, one.network, id, true); err != nil {
				return err
			}
			cut = append(cut, one)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, heal(context.WithoutCancel(ctx)))
	}
	return heal, nil
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
			IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: now.IPAddress},
		}})
	}
	return found
}

func (s *Stack) connect(ctx context.Context, service string, cut []attachment) error {
	return s.act(ctx, "connect", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		for _, one := range cut {
			if _, connected := state.NetworkSettings.Networks[one.network]; connected {
				continue
			}
			err := engine.NetworkConnect(ctx, one.network, id, one.settings)
			if errdefs.IsPermissionDenied(err) || errdefs.IsInvalidArgument(err) {
				// Only networks with a configured subnet take a wanted address.
				settings := *one.settings
				settings.IPAMConfig = nil
				err = engine.NetworkConnect(ctx, one.network, id, &settings)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
