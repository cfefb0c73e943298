package stack

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// isolation changes a loaded model so that it can run beside anything else and
// harms nothing: labels of the run, names of its own, ports on loopback,
// volumes of its own, files of the host for reading only.
type isolation struct {
	project *types.Project
	labels  map[string]string
	options Options
	changes []string
}

// isolate tells what then differs from what is written in a way that the
// recipe's author may want to know.
func isolate(project *types.Project, labels map[string]string, options Options) (changes []string) {
	i := isolation{project: project, labels: labels, options: options}
	i.volumes()
	i.networks()
	i.services()
	i.builds()
	slices.Sort(i.changes)
	return i.changes
}

func (i *isolation) change(format string, arguments ...any) {
	i.changes = append(i.changes, fmt.Sprintf(format, arguments...))
}

func (i *isolation) volumes() {
	own := types.Volumes{} // the loaded map is shared with copies of the project
	for key, volume := range i.project.Volumes {
		device := volume.DriverOpts["device"]
		switch {
		case bool(volume.External):
			i.change("volume %s is external: an empty one stands in its place", key)
			volume = types.VolumeConfig{}
		case device != "" && !inMemory(volume.DriverOpts):
			i.change("volume %s is %s: an empty one stands in its place", key, device)
			volume = types.VolumeConfig{}
		case volume.Driver != "" && volume.Driver != "local":
			i.change("volume %s is kept by the driver %s: an empty one stands in its place", key, volume.Driver)
			volume = types.VolumeConfig{}
		}
		// A global name would be shared with every other project.
		volume.Name = i.project.Name + "_" + key
		volume.CustomLabels = merged(volume.CustomLabels, i.labels)
		own[key] = volume
	}
	i.project.Volumes = own
}

// memoryOption is what a volume in memory may be told. Anything else is not
// taken for harmless: with bind among them, mount(2) goes by the device alone,
// whatever the type says.
//
// Source: tmpfs(5); mount(2), MS_BIND.
var memoryOption = regexp.MustCompile(`^(?:(?:size|nr_blocks|nr_inodes|mode|uid|gid)=\w+%?|ro|rw|noatime|nodev|noexec|nosuid|)$`)

// inMemory says whether options of the local driver give a volume that is in
// memory and nowhere else.
func inMemory(options map[string]string) bool {
	told := strings.Split(options["o"], ",")
	return options["type"] == "tmpfs" && options["device"] == "tmpfs" &&
		!slices.ContainsFunc(told, func(one string) bool { return !memoryOption.MatchString(strings.TrimSpace(one)) })
}

// bridgeName makes an interface that the host has already into a network.
//
// Source: Docker documentation, "Bridge network driver", options.
const bridgeName = "com.docker.network.bridge.name"

func (i *isolation) networks() {
	own := types.Networks{}
	for key, network := range i.project.Networks {
		switch {
		case bool(network.External):
			i.change("network %s is external: one of the run's own stands in its place", key)
			network = types.NetworkConfig{}
		case network.Driver != "" && network.Driver != "bridge", network.DriverOpts[bridgeName] != "":
			i.change("network %s is one of the host's by its driver %s: one of the run's own stands in its place", key, network.Driver)
			network.Driver, network.DriverOpts = "", nil
		}
		if len(network.Ipam.Config) > 0 && !addressed(i.project, key) {
			// Two stacks cannot have one subnet, and nobody asks for an address in it.
			network.Ipam = types.IPAMConfig{}
		}
		network.Name = i.project.Name + "_" + key
		network.CustomLabels = merged(network.CustomLabels, i.labels)
		own[key] = network
	}
	i.project.Networks = own
}

func (i *isolation) services() {
	for _, name := range i.project.ServiceNames() {
		service := i.project.Services[name]
		service.CustomLabels = merged(service.CustomLabels, i.labels, composeLabels(i.project, name))
		answerTo(&service)
		service.Ports = slices.Clone(service.Ports)
		for j := range service.Ports {
			service.Ports[j].HostIP = loopback
			if !i.options.LiteralPorts {
				service.Ports[j].Published = ""
			}
		}
		publish(&service, i.options.Publish[name])
		service.Volumes = slices.Clone(service.Volumes)
		for j, mount := range service.Volumes {
			if mount.Type == types.VolumeTypeBind {
				service.Volumes[j] = i.bind(service, mount)
			}
		}
		i.project.Services[name] = service
	}
}

// answerTo lets a service be found by the container name that it can't have.
func answerTo(service *types.ServiceConfig) {
	if service.ContainerName == "" {
		return
	}
	service.Networks = maps.Clone(service.Networks)
	for key, network := range service.Networks {
		aliased := types.ServiceNetworkConfig{}
		if network != nil {
			aliased = *network
		}
		aliased.Aliases = append(slices.Clone(aliased.Aliases), service.ContainerName)
		service.Networks[key] = &aliased
	}
	service.ContainerName = ""
}

// publish makes a port of a service reachable from the host, on any free port,
// unless the recipe does already. Port 0 is none.
func publish(service *types.ServiceConfig, port uint16) {
	published := slices.ContainsFunc(service.Ports, func(one types.ServicePortConfig) bool { return one.Target == uint32(port) })
	if port != 0 && !published {
		service.Ports = append(service.Ports, types.ServicePortConfig{
			Mode: "ingress", Protocol: "tcp", HostIP: loopback, Target: uint32(port),
		})
	}
}

// addressed says whether a service has an address of its own in a network.
func addressed(project *types.Project, key string) bool {
	for _, service := range project.Services {
		if network := service.Networks[key]; network != nil && (network.Ipv4Address != "" || network.Ipv6Address != "") {
			return true
		}
	}
	return false
}
