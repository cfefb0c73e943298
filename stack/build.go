package stack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
)

// builtImage begins the names of images that runs build.
const builtImage = "postgres-master-slave-built"

// builds has images that the recipe builds carry names of the run's own: a tag
// is its author's, and stays what it is. All stacks of a run share them, and
// so do services that are built alike.
func (i *isolation) builds() {
	own := map[string]string{} // by the name that the recipe gives
	made := map[string]bool{}
	for _, name := range i.project.ServiceNames() {
		service := i.project.Services[name]
		if service.Build == nil {
			continue
		}
		image := fmt.Sprintf("%s:%s-%08x", builtImage, cmp.Or(i.labels[SessionLabel], i.labels[KeptLabel], "run"), recipeOf(service.Build))
		if service.Image != "" {
			i.change("service %s builds %s: it is built under another name", name, service.Image)
			own[service.Image] = image
		}
		build := *service.Build
		build.Tags, build.CacheTo = nil, nil
		build.Labels = merged(build.Labels, i.labels)
		service.Image, service.Build, service.PullPolicy = image, &build, ""
		if made[image] {
			service.Build = nil
		}
		made[image] = true
		i.project.Services[name] = service
	}
	for name, service := range i.project.Services {
		if image, built := own[service.Image]; built && service.Build == nil {
			service.Image = image
			i.project.Services[name] = service
		}
	}
}

// recipeOf tells apart what is built: where from, and how.
func recipeOf(build *types.BuildConfig) uint32 {
	sum := fnv.New32a()
	_ = json.NewEncoder(sum).Encode(build) // it came from a file
	return sum.Sum32()
}

// buildOptions builds what some services and those that they depend on need
// and the engine lacks; nil when nothing is ever built.
func buildOptions(project *types.Project, services []string) *api.BuildOptions {
	for _, service := range project.Services {
		if service.Build != nil {
			// Its output would go to this process's, past everything that masks secrets.
			return &api.BuildOptions{Services: services, Deps: true, Quiet: true}
		}
	}
	return nil
}

// buildPaths are the files of the host that a build sends to the engine.
func buildPaths(build *types.BuildConfig) []string {
	if build == nil {
		return nil
	}
	paths := []string{build.Context}
	if build.Dockerfile != "" {
		paths = append(paths, dockerfile(build))
	}
	for _, path := range build.AdditionalContexts {
		paths = append(paths, path)
	}
	var local []string
	for _, path := range paths {
		if filepath.IsAbs(path) { // and not an address, an image or another service
			local = append(local, path)
		}
	}
	return local
}

// dockerfile is where the Dockerfile of a build is, which may be beyond its context.
func dockerfile(build *types.BuildConfig) string {
	path := cmp.Or(build.Dockerfile, "Dockerfile")
	if !filepath.IsAbs(path) {
		path = filepath.Join(build.Context, path)
	}
	return path
}

var fromPattern = regexp.MustCompile(`(?im)^\s*FROM\s+(?:--\S+\s+)*(\S+)`)

// baseImage is what a built image begins from, as far as its Dockerfile tells.
func baseImage(build *types.BuildConfig) string {
	if build == nil {
		return ""
	}
	text := build.DockerfileInline
	if text == "" {
		path := dockerfile(build)
		if state, err := os.Stat(path); err != nil || !state.Mode().IsRegular() {
			return "" // the engine says what is wrong with it; a pipe would be waited for
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		text = string(content)
	}
	stages := fromPattern.FindAllStringSubmatch(text, -1)
	if len(stages) == 0 {
		return ""
	}
	return strings.ToLower(stages[len(stages)-1][1])
}
