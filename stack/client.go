package stack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/sirupsen/logrus"
	"github.com/spf13/pflag"
)

// settings are what the docker command takes from DOCKER_TLS_VERIFY and
// DOCKER_CERT_PATH. The CLI's library reads them into its flags, once a process.
var settings = sync.OnceValue(func() flags.ClientOptions { //nolint:gochecknoglobals // the library's own are process-wide
	var options flags.ClientOptions
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	options.InstallFlags(set)
	options.SetDefaultOptions(set)
	options.ConfigDir = "" // as it is: to set it again is a race
	return options
})

// dial makes a client of the engine that DOCKER_HOST, the docker context or the
// default socket names: over TCP, TLS or ssh, as the docker command would.
func dial(output io.Writer) (*command.DockerCli, error) {
	failed := func(err error) (*command.DockerCli, error) {
		return nil, fmt.Errorf("configure engine client: %w", err)
	}
	var said bytes.Buffer
	stream := &struct{ io.Writer }{&said}
	cli, err := command.NewDockerCli(command.WithInputStream(io.NopCloser(strings.NewReader(""))), command.WithCombinedStreams(stream))
	if err != nil {
		return failed(err)
	}
	if err := initialize(cli); err != nil {
		return failed(err)
	}
	// The library ends the process where it has no client to give. Asked for
	// the endpoint it only says why.
	said.Reset()
	cli.DockerEndpoint()
	if said.Len() > 0 {
		return failed(errors.New(strings.TrimSpace(said.String())))
	}
	stream.Writer = output
	return cli, nil
}

// initializing has one initialization at a time: each changes the level of
// logrus, and puts it back.
var initializing sync.Mutex //nolint:gochecknoglobals // it guards a global variable

func initialize(cli *command.DockerCli) error {
	initializing.Lock()
	defer initializing.Unlock()
	defer logrus.SetLevel(logrus.GetLevel())
	options := settings()
	return cli.Initialize(&options)
}

// closing closes a client after what has gone wrong.
func closing(cli *command.DockerCli, err error) error { return errors.Join(err, cli.Client().Close()) }

// sameEngine are the variables by which another process finds a client's engine.
func sameEngine(cli *command.DockerCli) []string {
	if name := cli.CurrentContext(); name != command.DefaultContextName {
		return []string{"DOCKER_HOST=", "DOCKER_CONTEXT=" + name} // with its certificates
	}
	return []string{"DOCKER_HOST=" + cli.DockerEndpoint().Host}
}
