package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
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

// load reads compose files the way the command line does. Variables come from
// Options.Environment alone; where that is nil, neither variables of this
// process nor a .env file beside the compose file play a part.
// Errors: ErrRecipe, ErrHost.
func load(ctx context.Context, options Options, name string) (*types.Project, error) {
	return loadNoting(ctx, options, name, func(string) {})
}

// loadNoting is load that tells of each variable that the files refer to and
// that is not set: compose takes it for empty.
func loadNoting(ctx context.Context, options Options, name string, unset func(variable string)) (*types.Project, error) {
	if len(options.Files) == 0 {
		return nil, fmt.Errorf("load compose file: %w: none given", ErrRecipe)
	}
	failed := func(err error) error {
		return fmt.Errorf("load %s: %w: %w", strings.Join(options.Files, ", "), ErrRecipe, err)
	}
	settings := []cli.ProjectOptionsFn{
		cli.WithName(name), cli.WithEnv(options.Environment), cli.WithResolvedPaths(true),
		cli.WithoutEnvironmentResolution, // env_file is read below, once it may be
		cli.WithLoadOptions(func(how *loader.Options) {
			if how.Interpolate != nil { // it is nil while files are only read
				how.Interpolate.Substitute = substitute(unset)
			}
		}),
	}
	if options.Environment != nil {
		settings = append(settings, cli.WithEnvFiles(options.EnvFiles...), cli.WithDotEnv)
	}
	settings = append(settings, cli.WithDefaultProfiles(options.Profiles...))
	reading, err := cli.NewProjectOptions(options.Files, settings...)
	if err != nil {
		return nil, failed(err)
	}
	loading.Lock()
	project, err := reading.LoadProject(ctx)
	loading.Unlock()
	if err != nil {
		return nil, failed(err)
	}
	if err := guardHost(project, options); err != nil {
		return nil, err
	}
	if project, err = project.WithServicesEnvironmentResolved(true); err != nil {
		return nil, failed(err)
	}
	for service, image := range options.Images {
		one, ok := project.Services[service]
		if !ok {
			return nil, failed(fmt.Errorf("put image %s in place: it has no service %s, only %s",
				image, service, strings.Join(project.ServiceNames(), ", ")))
		}
		one.Image, one.Build = image, nil
		project.Services[service] = one
	}
	for _, service := range project.Services {
		if strings.HasSuffix(service.Image, ":") {
			return nil, failed(fmt.Errorf("service %s: image %q has no tag after its colon: is a variable not set?", service.Name, service.Image))
		}
	}
	return project, nil
}

var variableName = regexp.MustCompile(`^\$\{?(\w+)`)

// substitute fills in variables as the loader does by itself, and tells of those
// that are neither set nor have a default.
func substitute(unset func(variable string)) func(string, template.Mapping) (string, error) {
	replace := func(reference string, values template.Mapping, how *template.Config) (string, error) {
		value, applied, err := template.DefaultReplacementAppliedFunc(reference, values, how)
		if found := variableName.FindStringSubmatch(reference); err == nil && !applied && found != nil {
			unset(found[1])
		}
		return value, err
	}
	return func(text string, values template.Mapping) (string, error) {
		return template.SubstituteWithOptions(text, values, template.WithReplacementFunction(replace), template.WithoutLogging)
	}
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
