package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// otherNames are those, beside its own, by which containers may find a
// service: its container's name and host name, its aliases on any network, and
// what links of other services call it. They are sorted.
//
// Source: compose specification, "container_name", "hostname", "aliases", "links".
func otherNames(project *types.Project, service types.ServiceConfig) []string {
	names := map[string]bool{service.ContainerName: true, service.Hostname: true}
	for _, network := range service.Networks {
		if network != nil {
			for _, alias := range network.Aliases {
				names[alias] = true
			}
		}
	}
	for _, other := range project.Services {
		for _, link := range other.Links {
			if target, alias, _ := strings.Cut(link, ":"); target == service.Name {
				names[alias] = true
			}
		}
	}
	delete(names, "")
	delete(names, service.Name)
	return slices.Sorted(maps.Keys(names))
}
