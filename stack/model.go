package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// Model is a compose file as compose understands it: merged, interpolated,
// with absolute paths.
type Model struct {
	Services map[string]Service
	Volumes  []string // names of declared volumes, sorted
	External []string // those of them that are not the project's own, sorted
	Networks []string // names of declared networks, sorted
	Changes  []string // what runs otherwise than written, so that nothing of the host's is harmed
	Unset    []string // variables that the files refer to and that are not set, sorted: they are empty
}

// Service is one service of a Model.
type Service struct {
	Name        string
	Image       string
	Built       bool   // from a Dockerfile, not pulled
	Base        string // what a built image begins from, as far as its Dockerfile tells
	User        string
	Entrypoint  []string // where the files set one
	Command     []string
	Environment map[string]string
	Ports       []Port
	Mounts      []Mount
	Volumes     []string // that Up mounts by name, those in place of directories of the host included; sorted
	Networks    []string // names of declared networks, sorted
	Names       []string // others than its own by which containers may find it, sorted
	DependsOn   []string
}

// Port is a published port.
type Port struct {
	HostAddress string // empty is every address
	Published   string // empty is any free port
	Target      uint16
	Protocol    string
}

// Mount is a volume or a bind mount.
type Mount struct {
	Type   string // volume, bind, tmpfs
	Source string // volume name or absolute path
	Target string
}

// Load reads compose files without touching an engine.
// Errors are ErrRecipe and ErrHost.
func Load(ctx context.Context, files ...string) (Model, error) {
	return Options{Files: files}.Load(ctx)
}

// Load reads the compose files as Up would, without touching an engine.
// Errors are ErrRecipe and ErrHost.
func (o Options) Load(ctx context.Context) (Model, error) {
	silence()
	const name = "model"
	unset := map[string]bool{}
	project, err := loadNoting(ctx, o, name, func(variable string) { unset[variable] = true })
	if err != nil {
		return Model{}, err
	}
	model := Model{
		Services: map[string]Service{},
		Volumes:  slices.Sorted(slices.Values(project.VolumeNames())),
		Networks: slices.Sorted(slices.Values(project.NetworkNames())),
		Unset:    slices.Sorted(maps.Keys(unset)),
	}
	for name, service := range project.Services {
		one := Service{
			Name: name, Image: service.Image, Built: service.Build != nil, Base: baseImage(service.Build), User: service.User,
			Entrypoint: service.Entrypoint, Command: service.Command,
			Environment: map[string]string{}, Networks: slices.Sorted(maps.Keys(service.Networks)), DependsOn: service.GetDependencies(),
			Names: otherNames(project, service),
		}
		for key, value := range service.Environment {
			if value != nil {
				one.Environment[key] = *value
			}
		}
		for _, port := range service.Ports {
			if port.Target > 65535 {
				return Model{}, fmt.Errorf("load service %s: %w: port %d", name, ErrRecipe, port.Target)
			}
			one.Ports = append(one.Ports, Port{
				HostAddress: port.HostIP, Published: port.Published,
				Target: uint16(port.Target), Protocol: port.Protocol,
			})
		}
		for _, mount := range service.Volumes {
			one.Mounts = append(one.Mounts, Mount{Type: mount.Type, Source: mount.Source, Target: mount.Target})
		}
		model.Services[name] = one
	}
	for key, volume := range project.Volumes {
		if volume.External {
			model.External = append(model.External, key)
		}
	}
	slices.Sort(model.External)
	model.Changes = isolate(project, nil, o)
	for name, one := range model.Services {
		one.Volumes = named(project.Services[name])
		model.Services[name] = one
	}
	return model, nil
}

// named are the volumes with a name that a service mounts.
func named(service types.ServiceConfig) []string {
	var names []string
	for _, one := range service.Volumes {
		if one.Type == types.VolumeTypeVolume && one.Source != "" {
			names = append(names, one.Source)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Mounted are the volumes with a name that services mount when they run, sorted.
func (m Model) Mounted() []string {
	var names []string
	for _, service := range m.Services {
		names = append(names, service.Volumes...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
