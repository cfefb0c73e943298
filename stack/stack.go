package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/filters"
)

// Options say what to start.
type Options struct {
	Files []string // compose files, merged in this order
	// Environment holds the variables, KEY=value, that the files may refer to.
	// Where it is not nil, .env beside the first file counts too, or EnvFiles in its place.
	Environment []string
	EnvFiles    []string
	Profiles    []string          // active profiles
	Images      map[string]string // by service: images to run in place of the ones named or built
	AllowHost   bool              // run also what reaches into the host: see ErrHost
	Detached    bool              // leave it to the caller to remove the stack, also when this process ends

	Name         string // begins the project's name; a random part follows
	LiteralPorts bool   // publish the ports that the files name, on loopback: see Engine.Remote
	Isolatable   bool   // prepare each service for Isolate
	// Limited puts volumes, named as in the files, into memory with a size of
	// their own, so that Fill works.
	Limited map[string]LimitedVolume
	// Publish makes a port of a service reachable from here where the files do not.
	Publish map[string]uint16
	// Template names what the volumes begin with, see Keep; empty is nothing.
	Template string
	// Commands take the place of those of services: what made a volume's
	// content may not accept it a second time. Recreate with volumes gives a
	// service its own command again.
	Commands map[string][]string
}

// Stack is one running compose project. It is safe for concurrent use.
type Stack struct {
	containers
	mutex   sync.Mutex // guards options.Commands and cut
	options Options
	cut     map[string]map[string]attachment // by service and network: how it was connected before Isolate
	filling sync.Mutex                       // held while the volumes are filled
	filled  atomic.Bool                      // the volumes have what the template holds, all of it
	Model   Model                            // as written in the files, before ports and names are changed
}

// ErrNoSpace says that the engine's disk is full.
var ErrNoSpace = errors.New("engine has no space left, `docker system df` tells what takes it")

// PortTakenError says that a port that the compose file names is in use.
type PortTakenError struct {
	Port  string
	Cause error
}

// Error names the port.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("publish port %s: it is in use on this machine: %v", e.Port, e.Cause)
}

// Unwrap gives what the engine said.
func (e *PortTakenError) Unwrap() error { return e.Cause }

// Up starts compose files as a new project and returns when its containers
// have been started: whether the servers in them are ready is another matter.
// When it fails, what it made is removed.
//
// Errors: ErrRecipe, ErrHost, ErrNotSent, ErrNoTemplate, ErrNoSpace,
// *PortTakenError, or what the engine said.
func (e *Engine) Up(ctx context.Context, options Options) (*Stack, error) {
	stack, err := e.Prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := stack.Up(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		return nil, errors.Join(err, stack.remove(ctx))
	}
	return stack, nil
}

// Prepare names a new project without making anything of it: Stack.Up does,
// and until that returns the containers can already be looked at. What a
// failed Up has made then stays for the caller to look at and to Discard.
//
// Errors: ErrRecipe, ErrHost, ErrNotSent.
func (e *Engine) Prepare(ctx context.Context, options Options) (*Stack, error) {
	model, err := options.Load(ctx)
	if err != nil {
		return nil, err
	}
	prepared := &Stack{containers: e.project(projectName(options.Name)), options: options, Model: model}
	prepared.direct = !options.Isolatable
	if err := prepared.canBeSent(ctx); err != nil {
		return nil, err
	}
	return prepared, nil
}

// projectName makes a name that no other run has.
func projectName(prefix string) string {
	name := strings.ToLower(regexp.MustCompile(`[^a-zA-Z0-9_-]+`).ReplaceAllString(prefix, "-"))
	return "pms-" + strings.Trim(name, "-_") + "-" + strings.ToLower(rand.Text()[:6])
}

// project are the containers of a compose project.
func (e *Engine) project(name string) containers {
	return containers{engine: e, name: name, selects: func(service string) filters.Args {
		return filters.NewArgs(
			filters.Arg("label", api.ProjectLabel+"="+name),
			filters.Arg("label", api.ServiceLabel+"="+service),
			filters.Arg("label", api.OneoffLabel+"=False"),
		)
	}}
}

// labels are what everything of the stack carries.
func (s *Stack) labels() map[string]string {
	if s.options.Detached {
		return map[string]string{KeptLabel: s.engine.session.id}
	}
	return s.engine.session.labels()
}

// Options tell how the stack was started, and with which commands it goes on.
func (s *Stack) Options() Options {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.options
}

// Up creates and starts what is missing: the whole project again after Down.
func (s *Stack) Up(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	return s.up(ctx)
}

// Create creates what is missing without starting it: Start then chooses the
// order in which services begin.
func (s *Stack) Create(ctx context.Context) error {
	return s.bring(ctx, nil, s.create)
}

// up creates and starts what is missing, and makes the named services anew where
// they differ from the model; none named is all. The SDK starts the others too.
func (s *Stack) up(ctx context.Context, services ...string) error {
	return s.bring(ctx, services, func(ctx context.Context, project *types.Project, options api.CreateOptions) error {
		if err := s.create(ctx, project, options); err != nil {
			return err
		}
		return s.engine.compose.Start(ctx, project.Name, api.StartOptions{Project: project, Services: options.Services})
	})
}

// bring has the SDK make containers, under guard of the watchdog.
func (s *Stack) bring(ctx context.Context, services []string, do func(context.Context, *types.Project, api.CreateOptions) error) error {
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return fmt.Errorf("start project %s: %w", s.name, err)
	}
	defer done()
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	if len(services) == 0 {
		services = project.ServiceNames()
	}
	err = do(ctx, project, api.CreateOptions{
		Services: services, Recreate: api.RecreateDiverged, QuietPull: true, Build: buildOptions(project, services),
		Inherit: true, // as the command line does: a container made anew keeps its volumes without a name
	})
	// The SDK may return nil although its context has ended.
	if err = errors.Join(err, context.Cause(ctx)); err != nil {
		return fmt.Errorf("start project %s: %w", s.name, recognised(err))
	}
	return nil
}

// project loads a fresh model: the SDK writes into the one it is given.
func (s *Stack) project(ctx context.Context) (*types.Project, error) {
	options := s.Options()
	project, err := load(ctx, options, s.name)
	if err != nil {
		return nil, err
	}
	isolate(project, s.labels(), options)
	setCommands(project, options.Commands)
	s.engine.place.publish(project)
	addWatchNetworks(project, s.labels())
	if options.Isolatable {
		expectIsolation(project)
	}
	if err := limitVolumes(project, options.Limited, s.labels()); err != nil {
		return nil, err
	}
	return project, nil
}

var takenPattern = regexp.MustCompile(`(?:[\d.]+|\[?::\]?):(\d+)(?: failed: port is already allocated|: bind: address already in use)`)

// recognised knows the engine's words for a port that is in use, and for a disk
// that is full.
func recognised(err error) error {
	if fullDisk(err) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	if found := takenPattern.FindStringSubmatch(err.Error()); found != nil {
		return &PortTakenError{Port: found[1], Cause: err}
	}
	return err
}

// fullDisk knows the system's words. Programs in containers begin them with a capital.
func fullDisk(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "no space left on device")
}

// StopAll stops every service within its grace period, dependents first.
func (s *Stack) StopAll(ctx context.Context) error {
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	if err := s.engine.compose.Stop(ctx, s.name, api.StopOptions{Project: project}); err != nil {
		return fmt.Errorf("stop project %s: %w", s.name, err)
	}
	return nil
}

// Down stops and removes the project with its volumes, as `down -v` does.
// It says nothing of what is left over: see Leftovers.
func (s *Stack) Down(ctx context.Context) error {
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	if err := s.down(ctx, api.DownOptions{Project: project, Volumes: true, RemoveOrphans: true}); err != nil {
		return err
	}
	s.filled.Store(false)
	return nil
}

// down also removes volumes without a name: those of a container that was made
// anew, or all that `down` without -v leaves, nothing leads to any more.
func (s *Stack) down(ctx context.Context, options api.DownOptions) error {
	left, err := labelled(ctx, s.engine.cli.Client(), api.ProjectLabel+"="+s.name)
	if err != nil {
		return err
	}
	if err := s.engine.compose.Down(ctx, s.name, options); err != nil {
		return fmt.Errorf("remove project %s: %w", s.name, err)
	}
	return errors.Join(left.removeAnonymous(ctx, s.engine.cli.Client()), left.removeWatchNetworks(ctx, s.engine.cli.Client()))
}

// Discard removes the project by force, without the grace that Down gives.
func (s *Stack) Discard(ctx context.Context) error {
	if err := s.remove(ctx); err != nil {
		return err
	}
	s.filled.Store(false)
	return nil
}

func (s *Stack) remove(ctx context.Context) error {
	left, err := labelled(ctx, s.engine.cli.Client(), api.ProjectLabel+"="+s.name)
	if err != nil {
		return err
	}
	return left.remove(ctx, s.engine.cli.Client())
}

// Leftovers names the project's containers, networks and volumes that exist.
func (s *Stack) Leftovers(ctx context.Context) ([]string, error) {
	left, err := labelled(ctx, s.engine.cli.Client(), api.ProjectLabel+"="+s.name)
	return left.names(), err
}

// stopTimeout is what the engine gives a container that names no grace period.
//
// Source: compose specification, stop_grace_period.
const stopTimeout = 10 * time.Second
