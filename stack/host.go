package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	ask(service.Privileged, "privileged")
	for _, namespace := range [][2]string{
		{"network_mode", service.NetworkMode},
		{"pid", service.Pid},
		{"ipc", service.Ipc},
		{"uts", service.Uts},
		{"userns_mode", service.UserNSMode},
		{"cgroup", service.Cgroup},
	} {
		ask(namespace[1] == "host", namespace[0]+": host")
	}
	ask(len(service.CapAdd) > 0, "cap_add "+strings.Join(service.CapAdd, ", "))
	ask(len(service.Devices) > 0, "devices")
	ask(slices.ContainsFunc(service.SecurityOpt, func(one string) bool { return strings.Contains(one, "unconfined") }),
		"security_opt "+strings.Join(service.SecurityOpt, ", "))
	for _, mount := range service.Volumes {
		ask(mount.Type == types.VolumeTypeBind && !beside(project, mount.Source) && !holdsData(service, mount.Target),
			"mount "+mount.Source)
	}
	return asked
}

// beside says whether a path of the host lies in the folder of one of the
// compose files, or in the repository that it is in: its author's own files.
func beside(project *types.Project, source string) bool {
	folders := []string{project.WorkingDir}
	for _, file := range project.ComposeFiles {
		folders = append(folders, filepath.Dir(file), repository(filepath.Dir(file)))
	}
	return slices.ContainsFunc(folders, func(folder string) bool {
		relative, err := filepath.Rel(folder, source)
		return err == nil && filepath.IsLocal(relative)
	})
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
