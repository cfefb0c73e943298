package stack

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func composeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker-compose.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestIsolationHarmsNothingOfTheHost(t *testing.T) {
	for name, test := range map[string]struct {
		service, rest string // of the compose file
		changes       []string
	}{
		"nothing to change": {service: `volumes: ["data:/var/lib/postgresql/data"]`, rest: "volumes: {data: }"},
		"an external volume": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`, rest: "volumes: {data: {external: true}}",
			changes: []string{"volume data is external: an empty one stands in its place"},
		},
		"a volume that is a directory of the host": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver_opts: {type: none, o: bind, device: /srv/data}}}",
			changes: []string{"volume data is /srv/data: an empty one stands in its place"},
		},
		"a volume in memory": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver_opts: {type: tmpfs, device: tmpfs}}}",
		},
		"a volume in memory with a size and an owner": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    `volumes: {data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=100m,uid=999,mode=0700,noexec"}}}`,
		},
		"the host's root that says it is in memory": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver_opts: {type: tmpfs, o: bind, device: /}}}",
			changes: []string{"volume data is /: an empty one stands in its place"},
		},
		"a folder of the host called tmpfs": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    `volumes: {data: {driver_opts: {type: tmpfs, o: "size=1m,rbind", device: tmpfs}}}`,
			changes: []string{"volume data is tmpfs: an empty one stands in its place"},
		},
		"memory that says it is a folder of the host": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver_opts: {type: tmpfs, device: /srv}}}",
			changes: []string{"volume data is /srv: an empty one stands in its place"},
		},
		"a directory of the host by a path without slashes": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver_opts: {type: none, o: bind, device: etc}}}",
			changes: []string{"volume data is etc: an empty one stands in its place"},
		},
		"a volume of another driver": {
			service: `volumes: ["data:/var/lib/postgresql/data"]`,
			rest:    "volumes: {data: {driver: rexray}}",
			changes: []string{"volume data is kept by the driver rexray: an empty one stands in its place"},
		},
		"a network of the host's": {
			service: "networks: [lan]", rest: "networks: {lan: {driver: macvlan, driver_opts: {parent: eth0}}}",
			changes: []string{"network lan is one of the host's by its driver macvlan: one of the run's own stands in its place"},
		},
		"an external network": {
			service: "networks: [elsewhere]", rest: "networks: {elsewhere: {external: true}}",
			changes: []string{"network elsewhere is external: one of the run's own stands in its place"},
		},
		"data in a directory of the host": {
			service: `volumes: ["/srv/data:/var/lib/postgresql/data"]`,
			changes: []string{"service db keeps its data in /srv/data of the host: an empty volume stands in its place"},
		},
		"data elsewhere": {
			service: `{environment: {PGDATA: /pg/15}, volumes: ["/srv/pg:/pg"]}`,
			changes: []string{"service db keeps its data in /srv/pg of the host: an empty volume stands in its place"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := "services: {db: {image: postgres, " + flow(test.service) + "}}\n" + test.rest + "\n"
			model, err := Load(t.Context(), composeFile(t, text))
			require.NoError(t, err, text)
			assert.Equal(t, test.changes, model.Changes)

			project, err := load(t.Context(), Options{Files: []string{composeFile(t, text)}}, "isolated")
			require.NoError(t, err)
			isolate(project, map[string]string{"run": "1"}, Options{})
			for key, volume := range project.Volumes {
				assert.False(t, bool(volume.External), key)
				assert.Equal(t, "isolated_"+key, volume.Name)
				assert.Equal(t, "1", volume.CustomLabels["run"])
			}
			for key, network := range project.Networks {
				assert.False(t, bool(network.External), key)
				assert.Empty(t, network.Driver+network.DriverOpts["parent"], key)
				assert.Equal(t, "isolated_"+key, network.Name)
			}
			for _, mount := range project.Services["db"].Volumes {
				assert.Equal(t, "volume", mount.Type)
			}
		})
	}
}

// flow takes the braces off a mapping, so that it can go into another.
func flow(mapping string) string {
	if mapping[0] == '{' {
		return mapping[1 : len(mapping)-1]
	}
	return mapping
}

func TestIsolationKeepsWhatServicesNeed(t *testing.T) {
	file := composeFile(t, `
services:
  db:
    image: postgres
    container_name: the-primary
    volumes: ["./init.sql:/docker-entrypoint-initdb.d/init.sql"]
    networks: {data: {aliases: [primary]}}
  follower: {image: postgres, networks: {fixed: {ipv4_address: 10.99.0.3}}}
networks:
  data: {ipam: {config: [{subnet: 10.98.0.0/24}]}}
  fixed: {ipam: {config: [{subnet: 10.99.0.0/24}]}}
`)
	write(t, filepath.Dir(file)+"/init.sql", "", 0o600)
	project, err := load(t.Context(), Options{Files: []string{file}}, "isolated")
	require.NoError(t, err)
	isolate(project, nil, Options{Publish: map[string]uint16{"db": 5432}})
	db := project.Services["db"]
	assert.Empty(t, db.ContainerName, "two runs cannot have one name")
	assert.Equal(t, []string{"primary", "the-primary"}, db.Networks["data"].Aliases, "others still find it by that name")
	assert.True(t, db.Volumes[0].ReadOnly, "the host's files are for reading")
	require.Len(t, db.Ports, 1, "it is reachable though it publishes nothing")
	assert.Equal(t, "127.0.0.1", db.Ports[0].HostIP)
	assert.Empty(t, db.Ports[0].Published)
	assert.Empty(t, project.Networks["data"].Ipam.Config, "two runs cannot have one subnet")
	assert.Len(t, project.Networks["fixed"].Ipam.Config, 1, "but addresses in it are what others know it by")
}

// The compose specification lets a service have either networks or a mode.
func TestServicesWithANetworkModeGetNoNetwork(t *testing.T) {
	for _, mode := range []string{"none", "bridge", "service:other"} {
		t.Run(mode, func(t *testing.T) {
			options := Options{Isolatable: true, Files: []string{composeFile(t,
				`services: {other: {image: postgres}, db: {image: postgres, network_mode: "`+mode+`", ports: ["5432:5432"]}}`)}}
			project, err := load(t.Context(), options, "modes")
			require.NoError(t, err)
			isolate(project, nil, options)
			addWatchNetworks(project, nil)
			expectIsolation(project)
			assert.Empty(t, project.Services["db"].Networks)
			assert.NotContains(t, project.Networks, watchNetwork+"db")
			assert.Empty(t, project.Services["db"].Sysctls)
		})
	}
}

func TestVariablesComeOnlyFromWhereTheyAreAskedFor(t *testing.T) {
	file := composeFile(t, `services: {db: {image: "postgres:${VERSION:-none}"}}`)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), ".env"), []byte("VERSION=from-file"), 0o600))
	other := filepath.Join(t.TempDir(), "other.env")
	require.NoError(t, os.WriteFile(other, []byte("VERSION=from-other"), 0o600))
	t.Setenv("VERSION", "from-process")
	for name, test := range map[string]struct {
		options Options
		want    string
	}{
		"none":                        {Options{}, "postgres:none"},
		".env beside the file":        {Options{Environment: []string{}}, "postgres:from-file"},
		"a named file":                {Options{Environment: []string{}, EnvFiles: []string{other}}, "postgres:from-other"},
		"the environment before both": {Options{Environment: []string{"VERSION=given"}, EnvFiles: []string{other}}, "postgres:given"},
		"an image put in place":       {Options{Images: map[string]string{"db": "mine:1"}}, "mine:1"},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.Files = []string{file}
			model, err := test.options.Load(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.want, model.Services["db"].Image)
		})
	}
	_, err := Options{Files: []string{file}, Images: map[string]string{"nobody": "mine:1"}}.Load(t.Context())
	require.ErrorIs(t, err, ErrRecipe)
	assert.ErrorContains(t, err, "it has no service nobody, only db")
}

func TestComposeFilesMayMountWhatTheirRepositoryHolds(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "deploy", "docker-compose.yml")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(`services: {db: {image: postgres, volumes: ["../init.sql:/init.sql"]}}`), 0o600))
	_, err := Load(t.Context(), file)
	require.ErrorIs(t, err, ErrHost, "it is in no repository")
	require.NoError(t, os.Mkdir(filepath.Join(root, ".git"), 0o700))
	_, err = Load(t.Context(), file)
	require.NoError(t, err)
}

func TestADockerfileThatIsAPipeIsNotWaitedFor(t *testing.T) {
	file := composeFile(t, "services: {db: {build: .}}\n")
	require.NoError(t, syscall.Mkfifo(filepath.Join(filepath.Dir(file), "Dockerfile"), 0o600))
	model, err := Load(t.Context(), file)
	require.NoError(t, err)
	assert.Empty(t, model.Services["db"].Base)
}

func TestComposeFilesMayConfineThemselves(t *testing.T) {
	_, err := Load(t.Context(), composeFile(t, `services: {db: {image: postgres, security_opt: ["no-new-privileges:true", no-new-privileges, seccomp=builtin]}}`))
	require.NoError(t, err)
}

func TestComposeFilesDoNotReachIntoTheHost(t *testing.T) {
	for name, test := range map[string]struct{ service, says string }{
		"privileged":                      {"privileged: true", "db: privileged"},
		"the host's network":              {"network_mode: host", "db: network_mode: host"},
		"the host's processes":            {"pid: host", "db: pid: host"},
		"capabilities":                    {"cap_add: [SYS_ADMIN]", "db: cap_add SYS_ADMIN"},
		"devices":                         {"devices: [/dev/mem]", "db: devices"},
		"no confinement":                  {"security_opt: [seccomp=unconfined]", "db: security_opt seccomp=unconfined"},
		"a program of the host":           {"provider: {type: /bin/sh}", "db: provider, a program of the host"},
		"a model of the host":             {"models: [some]", "db: models"},
		"a privileged hook":               {"post_start: [{command: id, privileged: true}]", "db: a privileged hook"},
		"a hook at the end":               {"pre_stop: [{command: id, privileged: true}]", "db: a privileged hook"},
		"the engine and logins":           {"use_api_socket: true", "db: use_api_socket"},
		"somebody else's network":         {`network_mode: "container:other"`, "db: network_mode: container:other"},
		"somebody else's processes":       {`pid: "container:other"`, "db: pid: container:other"},
		"somebody else's volumes":         {`volumes_from: ["container:other"]`, "db: volumes_from container:other"},
		"somebody else's services":        {`external_links: ["other:db2"]`, "db: external_links other:db2"},
		"a GPU":                           {"gpus: all", "db: devices"},
		"a reserved device":               {"deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}", "db: devices"},
		"devices by number":               {`device_cgroup_rules: ["a *:* rwm"]`, "db: devices"},
		"another runtime":                 {"runtime: other", "db: runtime other"},
		"another control group":           {"cgroup_parent: /", "db: cgroup_parent /"},
		"no labels of SELinux":            {"security_opt: [label=disable]", "db: security_opt label=disable"},
		"the engine's socket":             {`volumes: ["/var/run/docker.sock:/var/run/docker.sock"]`, "db: mount /var/run/docker.sock"},
		"a way out by dots":               {`volumes: ["../../etc:/host"]`, "db: mount "},
		"a way out by a link":             {`volumes: ["./link/shadow:/host"]`, "/link/shadow"},
		"data that is only read":          {`volumes: ["/etc:/var/lib/postgresql/data:ro"]`, "db: mount /etc"},
		"a secret that is a file":         {`secrets: [stolen]`, "db: mount STOLEN"},
		"a config that is a file":         {`configs: [stolen]`, "db: mount STOLEN"},
		"variables of somebody else's":    {`env_file: STOLEN`, "db: mount STOLEN"},
		"a build of the host's files":     {`build: /etc`, "db: mount /etc"},
		"a Dockerfile of the host's":      {`build: {context: ., dockerfile: STOLEN}`, "db: mount STOLEN"},
		"a Dockerfile beyond its context": {`build: {context: ., dockerfile: ../../../../../../../../etc/passwd}`, "db: mount /etc/passwd"},
		"a second context":                {`build: {context: ., additional_contexts: {other: /etc}}`, "db: mount /etc"},
		"a privileged build":              {`build: {context: ., privileged: true}`, "db: a privileged build"},
		"a build on the host's network":   {`build: {context: ., network: host}`, "db: a build with network: host"},
		"a build's secret":                {`build: {context: ., secrets: [stolen]}`, "db: mount STOLEN"},
		"a variable for a build":          {`build: {context: ., secrets: [home]}`, "db: a build with the variable HOME"},
		"a profile of its own":            {`security_opt: ["seccomp=./profile.json"]`, "db: security_opt seccomp=./profile.json"},
		"a label of its own":              {`security_opt: ["label=type:spc_t"]`, "db: security_opt label=type:spc_t"},
		"a build with keys":               {`build: {context: ., ssh: [default]}`, "db: a build with ssh keys"},
	} {
		t.Run(name, func(t *testing.T) {
			stolen := filepath.Join(t.TempDir(), "stolen")
			require.NoError(t, os.WriteFile(stolen, []byte("A=b"), 0o600))
			outside := func(text string) string { return strings.ReplaceAll(text, "STOLEN", stolen) }
			file := composeFile(t, outside("services: {db: {image: postgres, "+test.service+"}}\n"+
				"secrets: {stolen: {file: STOLEN}, home: {environment: HOME}}\nconfigs: {stolen: {file: STOLEN}}\nmodels: {some: {model: some}}\n"))
			require.NoError(t, os.Symlink("/etc", filepath.Join(filepath.Dir(file), "link")))
			options := Options{Files: []string{file}}
			_, err := options.Load(t.Context())
			require.ErrorIs(t, err, ErrHost)
			require.ErrorContains(t, err, outside(test.says))
			options.AllowHost = true
			model, err := options.Load(t.Context())
			require.NoError(t, err)
			assert.Contains(t, model.Services, "db")
		})
	}
}
