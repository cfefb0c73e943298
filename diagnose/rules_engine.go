package diagnose

import (
	"regexp"
	"strings"
)

// engineRules are what keeps containers from being made or started.
var engineRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "image-missing", what: "the image is neither on this machine nor to be had",
		sees:  "`manifest unknown`, `pull access denied` or `no such host` when the project starts",
		cause: "no container could be made: the image {image} is not on this machine and could not be had",
		cure:  "Correct the name and the tag of `image:`, or bring the image: `docker pull {image}`; without a registry, `docker load`.",
		when: func(scene *scene, found *match) bool {
			if scene.Failure == "" || len(scene.Images) == 0 {
				return false
			}
			found.values["image"] = strings.Join(scene.Images, ", ")
			found.line.Text, found.conclusive = scene.Failure, true
			return true
		},
	},
	{
		id: "port-taken", what: "a published port is in use on the host",
		sees:  "`port is already allocated` or `address already in use` when the project starts",
		cause: "a container could not be started: port {port} of the host is in use by another program or container",
		cure:  "End what holds port {port} (`docker ps --filter publish={port}`, `ss -ltnp`), or publish another one: `ports: [\"15432:5432\"]`.",
		when:  failed(`(?:[\d.\]]+|::):(?P<port>\d+)(?: failed: port is already allocated|: bind: address already in use)|ports are not available.*:(?P<other>\d+)`),
	},
	{
		id: "command-not-runnable", what: "entrypoint or command is not there, or may not be executed",
		sees:  "`executable file not found in $PATH` or `permission denied: unknown` when the project starts",
		cause: "a container could not be started: {file} is not in the image or is not executable",
		cure:  "Correct `entrypoint:`/`command:`. A mounted script needs `chmod +x` on the host, or name its shell: `entrypoint: [bash, /path/script.sh]`.",
		when:  failed(`exec: \\?"(?P<file>[^"\\]+)\\?": .*(?:executable file not found|permission denied|no such file or directory)|exec format error`),
	},
}

// failed says whether the engine's failure looks like a pattern.
func failed(pattern string) func(*scene, *match) bool {
	form := regexp.MustCompile(pattern)
	return func(scene *scene, found *match) bool {
		values, ok := saying{any: []string{""}, pattern: form}.fits(scene.Failure)
		if scene.Failure == "" || !ok {
			return false
		}
		found.values, found.conclusive = values, true
		found.line.Text = scene.Failure
		return true
	}
}
