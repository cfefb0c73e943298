package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// ErrHost says that a compose file asks for more of the host than a container
// of its own. It runs only with Options.AllowHost.
var ErrHost = errors.New("compose file reaches into the host")

// guardHost refuses a model that would reach out of its containers. Compose
// files are other people's text: loading one must not hand over the machine.
func guardHost(project *types.Project, options Options) error {
	if options.AllowHost {
		return nil
	}
	var asked []string
	for _, name := range project.ServiceNames() {
		for _, one := range asksOfHost(project, project.Services[name]) {
			asked = append(asked, name+": "+one)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return fmt.Errorf("load %s: %w: %s", strings.Join(options.Files, ", "), ErrHost, strings.Join(asked, "; "))
}

// asksOfHost lists what a service wants of its host, in a fixed order.
//
// Source: compose specification, "Services top-level elements".
func asksOfHost(project *types.Project, service types.ServiceConfig) []string {
	var asked []string
	ask := func(wanted bool, what string) {
		if wanted {
			asked = append(asked, what)
		}
	}
	ask(service.Provider != nil, "provider, a program of the host")
	ask(len(service.Models) > 0, "models")
	ask(service.Privileged, "privileged")
	ask(slices.ContainsFunc(slices.Concat(service.PostStart, service.PreStop), func(one types.ServiceHook) bool { return one.Privileged }),
		"a privileged hook")
	ask(service.UseAPISocket, "use_api_socket")
	for _, namespace := range [][2]string{
		{"network_mode", service.NetworkMode},
		{"pid", service.Pid},
		{"ipc", service.Ipc},
		{"uts", service.Uts},
		{"userns_mode", service.UserNSMode},
		{"cgroup", service.Cgroup},
	} {
		ask(namespace[1] == "host" || strings.HasPrefix(namespace[1], types.ContainerPrefix), namespace[0]+": "+namespace[1])
	}
	ask(len(service.CapAdd) > 0, "cap_add "+strings.Join(service.CapAdd, ", "))
	ask(len(service.Devices)+len(service.Gpus)+len(service.DeviceCgroupRules) > 0 || reservesDevices(service), "devices")
	ask(service.Runtime != "", "runtime "+service.Runtime)
	ask(service.CgroupParent != "", "cgroup_parent "+service.CgroupParent)
	ask(slices.ContainsFunc(service.SecurityOpt, loosens), "security_opt "+strings.Join(service.SecurityOpt, ", "))
	ask(len(service.ExternalLinks) > 0, "external_links "+strings.Join(service.ExternalLinks, ", "))
	for _, from := range service.VolumesFrom {
		ask(strings.HasPrefix(from, types.ContainerPrefix), "volumes_from "+from)
	}
	if build := service.Build; build != nil {
		ask(build.Privileged || len(build.Entitlements) > 0, "a privileged build")
		ask(build.Network == "host", "a build with network: host")
		ask(len(build.SSH) > 0, "a build with ssh keys")
		for _, one := range build.Secrets {
			variable := project.Secrets[one.Source].Environment
			ask(variable != "", "a build with the variable "+variable) // the SDK reads it from this process
		}
	}
	for _, path := range hostFiles(project, service) {
		ask(!beside(project, path), "mount "+path)
	}
	return asked
}

func reservesDevices(service types.ServiceConfig) bool {
	return service.Deploy != nil && service.Deploy.Resources.Reservations != nil && len(service.Deploy.Resources.Reservations.Devices) > 0
}

// harmless are the security options that take no confinement away. A profile or
// label of the recipe's own may allow anything.
//
// Source: Docker documentation, `docker run`, --security-opt.
var harmless = regexp.MustCompile(`^(?:no-new-privileges(?:[=:](?:true|false))?|seccomp[=:]builtin)$`)

func loosens(option string) bool { return !harmless.MatchString(option) }

// hostFiles are the paths of the host whose content a service gets to see.
// A directory of data is not among them: an empty volume takes its place.
func hostFiles(project *types.Project, service types.ServiceConfig) []string {
	var paths []string
	for _, mount := range service.Volumes {
		if mount.Type == types.VolumeTypeBind && (mount.ReadOnly || !holdsData(service, mount.Target)) {
			paths = append(paths, mount.Source)
		}
	}
	for _, one := range service.Secrets {
		paths = append(paths, project.Secrets[one.Source].File)
	}
	for _, one := range service.Configs {
		paths = append(paths, project.Configs[one.Source].File)
	}
	for _, one := range service.EnvFiles {
		paths = append(paths, one.Path)
	}
	if service.Build != nil {
		for _, one := range service.Build.Secrets {
			paths = append(paths, project.Secrets[one.Source].File)
		}
	}
	paths = append(paths, buildPaths(service.Build)...)
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" }) // its content is in the compose file
}

// beside says whether a path of the host lies in the folder of one of the
// compose files, or in the repository that it is in: its author's own files.
// A link counts as what it leads to.
func beside(project *types.Project, source string) bool {
	source = followed(source)
	folders := []string{project.WorkingDir}
	for _, file := range project.ComposeFiles {
		folders = append(folders, filepath.Dir(file), repository(filepath.Dir(file)))
	}
	return slices.ContainsFunc(folders, func(folder string) bool {
		relative, err := filepath.Rel(followed(folder), source)
		return err == nil && filepath.IsLocal(relative)
	})
}

// followed is where a path leads, as far as it exists.
func followed(path string) string {
	for rest := ""; ; {
		if end, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(end, rest)
		}
		if filepath.Dir(path) == path {
			return filepath.Join(path, rest)
		}
		path, rest = filepath.Dir(path), filepath.Join(filepath.Base(path), rest)
	}
}

// repository is the root of the git repository that a folder is in, or the
// folder itself.
func repository(folder string) string {
	for root := folder; filepath.Dir(root) != root; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			return root
		}
	}
	return folder
}
