package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/command"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/compose/v2/pkg/compose"
	"github.com/docker/compose/v2/pkg/progress"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/sirupsen/logrus"
)

// pingLimit bounds the first question to the engine.
const pingLimit = 10 * time.Second

// ErrNoEngine says that no container engine answers.
var ErrNoEngine = errors.New("no container engine answers; start Docker, or in this project run `make setup`")

// ErrNoPermission says that the engine is there, and this user may not use it.
var ErrNoPermission = errors.New("no permission for the container engine; `sudo usermod -aG docker $USER` gives it at the next login")

// ErrOldEngine says that the engine lacks what this package asks of it.
var ErrOldEngine = errors.New("container engine is too old")

// errClosed is the cause of contexts that ended with the engine.
var errClosed = errors.New("engine closed")

// oldestAPI is that of Docker Engine 20.10, the oldest engine that has been tried.
const oldestAPI = "1.41"

// silence makes the SDK's process-wide output quiet, once: it would print
// progress and warnings to this process's own streams.
var silence = sync.OnceFunc(func() { //nolint:gochecknoglobals // the SDK's own settings are process-wide
	progress.Mode = progress.ModeJSON
	quieten(logrus.StandardLogger())
})

// quieten leaves a logger alone that this process has directed elsewhere.
func quieten(logger *logrus.Logger) {
	if logger.Out == os.Stderr {
		logger.SetOutput(io.Discard)
	}
}

// Engine is a connection to a container engine, and the run that everything
// started through it belongs to. It is safe for concurrent use.
type Engine struct {
	cli      *command.DockerCli
	compose  api.Compose
	place    place
	session  *session
	progress *progressWriter

	life   context.Context //nolint:containedctx // ends when the process is interrupted
	end    context.CancelCauseFunc
	active sync.RWMutex // held for reading while something is being created
	closed sync.Once
	stop   func()
}

// Open connects to the engine that DOCKER_HOST, the docker context or the
// default socket names, removes what dead runs left there, and installs a
// handler for SIGINT and SIGTERM that removes what this run made and exits
// with 128 + the signal's number. observe, which may be nil, is told each
// step of the engine; calls do not overlap.
//
// Errors: ErrNoEngine, ErrNoPermission, ErrOldEngine, ErrRemoteEngine, or what
// the engine said.
func Open(ctx context.Context, observe func(Step)) (*Engine, error) {
	silence()
	writer := &progressWriter{observe: observe}
	cli, err := dial(writer)
	if err != nil {
		return nil, err
	}
	address := cli.DockerEndpoint().Host
	if err := reachable(ctx, cli.Client(), address); err != nil {
		return nil, closing(cli, err)
	}
	place, err := locate(ctx, address)
	if err != nil {
		return nil, closing(cli, err)
	}
	session, err := newSession(sameEngine(cli))
	if err != nil {
		return nil, closing(cli, err)
	}
	engine := &Engine{
		cli: cli, place: place, session: session, progress: writer,
		// No prompt is ever answered: the SDK asks before it deletes data.
		compose: compose.NewComposeService(cli, compose.WithPrompt(func(question string, _ bool) (bool, error) {
			return false, fmt.Errorf("refuse to answer the prompt %q", question)
		})),
	}
	engine.life, engine.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := engine.sweep(ctx); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	engine.stop = engine.handleSignals()
	return engine, nil
}

func reachable(ctx context.Context, engine client.APIClient, address string) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	ping, err := engine.Ping(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("reach engine at %s: %w: %w", address, ErrNoPermission, err)
	case err != nil:
		return fmt.Errorf("reach engine at %s: %w: %w", address, ErrNoEngine, err)
	case versions.LessThan(ping.APIVersion, oldestAPI):
		return fmt.Errorf("reach engine at %s: %w: it speaks API %q, needed is %s (Docker Engine 20.10)",
			address, ErrOldEngine, ping.APIVersion, oldestAPI)
	}
	return nil
}

// Close ends what is being started, removes whatever stacks are still up, ends
// the watchdog and closes the connection. What could not be removed is left to
// the watchdog, at the end of this process. It is safe to call twice.
func (e *Engine) Close() error {
	var err error
	e.closed.Do(func() {
		if e.stop != nil {
			e.stop()
		}
		e.end(errClosed)
		// What is being created now would appear after the removal.
		e.active.Lock()
		defer e.active.Unlock()
		err = errors.Join(e.abandon(), e.cli.Client().Close())
	})
	return err
}

// Provenance tells which engine this is, for the reader of a report.
func (e *Engine) Provenance(ctx context.Context) (string, error) {
	version, err := e.cli.Client().ServerVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("ask engine version: %w", err)
	}
	text := fmt.Sprintf("%s %s, API %s, %s/%s", version.Platform.Name, version.Version,
		e.cli.Client().ClientVersion(), version.Os, version.Arch)
	if e.place.remote {
		text += fmt.Sprintf(", at %s: ports are published on %s, mounted files are copied", e.place.engine, e.place.host)
	}
	return text, nil
}

// creating begins whatever makes something on the engine: what is made after
// done, or by a run that has ended, nobody would remove. The context also ends
// when the process is interrupted or the engine closed.
func (e *Engine) creating(ctx context.Context) (alive context.Context, done func(), err error) {
	e.active.RLock()
	alive, cancel := e.alive(ctx)
	done = func() {
		cancel()
		e.active.RUnlock()
	}
	if err = cmp.Or(context.Cause(e.life), context.Cause(ctx)); err == nil {
		// The watchdog must be on guard before the first thing exists.
		err = e.session.watched()
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return alive, done, nil
}

// alive gives a context that also ends when the process is interrupted.
func (e *Engine) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.life, func() { cancel(context.Cause(e.life)) })
	return ctx, func() { stop(); cancel(nil) }
}

// MissingImages lists the images of a model that the engine does not have, and
// that Up would therefore pull. What is built is not pulled.
func (e *Engine) MissingImages(ctx context.Context, model Model) ([]string, error) {
	var missing []string
	for _, service := range model.Services {
		if service.Built {
			continue
		}
		_, err := e.cli.Client().ImageInspect(ctx, service.Image)
		switch {
		case errdefs.IsNotFound(err):
			missing = append(missing, service.Image)
		case err != nil:
			return nil, fmt.Errorf("look for image %s: %w", service.Image, err)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing), nil
}

// ImageIDs gives what the images of a model are on the engine now, by service.
// One that is not there is left out, and so is one that Up would build: what
// bears its name is not what runs.
func (e *Engine) ImageIDs(ctx context.Context, model Model) (map[string]string, error) {
	ids := map[string]string{}
	for name, service := range model.Services {
		if service.Built {
			continue
		}
		found, err := e.cli.Client().ImageInspect(ctx, service.Image)
		switch {
		case errdefs.IsNotFound(err):
		case err != nil:
			return nil, fmt.Errorf("look for image %s: %w", service.Image, err)
		default:
			ids[name] = found.ID
		}
	}
	return ids, nil
}
