package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
)

// composeVersion is what the compose SDK calls itself when it is the docker
// plugin; as a library it does not know.
const composeVersion = "v2.40.3"

// ErrRecipe says that a compose file cannot be used as it is.
var ErrRecipe = errors.New("compose file cannot be used")

// loading has one load at a time: the loader notes in a variable of its package
// which obsolete elements it has warned of.
var loading sync.Mutex //nolint:gochecknoglobals // it guards a global variable

// load reads compose files the way the command line does, with an
// environment of its own: neither variables of this process nor a .env file
// beside the compose file play a part.
func load(ctx context.Context, files []string, name string) (*types.Project, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("load compose file: %w: none given", ErrRecipe)
	}
	options, err := cli.NewProjectOptions(files, cli.WithName(name), cli.WithEnv(nil), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w: %w", strings.Join(files, ", "), ErrRecipe, err)
	}
	loading.Lock()
	project, err := options.LoadProject(ctx)
	loading.Unlock()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w: %w", strings.Join(files, ", "), ErrRecipe, err)
	}
	return project, nil
}

// isolate changes the loaded model so that it can run beside anything else:
// labels of the run, names of its own, ports on loopback.
func isolate(project *types.Project, labels map[string]string, literalPorts bool) error {
	for key, volume := range project.Volumes {
		if volume.External {
			return fmt.Errorf("isolate volume %s: %w: it is external, its data would be somebody else's", key, ErrRecipe)
		}
		// A global name would be shared with every other project.
		volume.Name = project.Name + "_" + key
		volume.CustomLabels = merged(volume.CustomLabels, labels)
		project.Volumes[key] = volume
	}
	for key, network := range project.Networks {
		if network.External {
			return fmt.Errorf("isolate network %s: %w: it is external, others are on it", key, ErrRecipe)
		}
		network.Name = project.Name + "_" + key
		network.CustomLabels = merged(network.CustomLabels, labels)
		project.Networks[key] = network
	}
	for name, service := range project.Services {
		service.CustomLabels = merged(service.CustomLabels, labels, composeLabels(project, name))
		service.ContainerName = ""
		// The loaded ports may be shared with another copy of the model.
		service.Ports = slices.Clone(service.Ports)
		for i := range service.Ports {
			service.Ports[i].HostIP = loopback
			if !literalPorts {
				service.Ports[i].Published = ""
			}
		}
		project.Services[name] = service
	}
	return nil
}

// composeLabels are those by which the SDK finds its containers again; the
// command line sets them, in library use the caller must.
func composeLabels(project *types.Project, service string) map[string]string {
	return map[string]string{
		api.ProjectLabel:     project.Name,
		api.ServiceLabel:     service,
		api.OneoffLabel:      "False",
		api.VersionLabel:     composeVersion,
		api.WorkingDirLabel:  project.WorkingDir,
		api.ConfigFilesLabel: strings.Join(project.ComposeFiles, ","),
	}
}

func merged(base types.Labels, more ...map[string]string) types.Labels {
	all := types.Labels{}
	maps.Copy(all, base)
	for _, one := range more {
		maps.Copy(all, one)
	}
	return all
}
