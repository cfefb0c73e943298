package pairtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// templateAge is how long a template is used: then it is made anew.
const templateAge = 7 * 24 * time.Hour

// templateKey names everything that makes a fresh pair what it is. It is empty
// where there is no volume to keep, while an image is not there yet, and where
// one is built: who could tell whether the outcome would be the same.
func templateKey(ctx context.Context, engine *stack.Engine, chosen config) (string, error) {
	model, err := chosen.stack().Load(ctx)
	if err != nil || len(model.Mounted()) == 0 {
		return "", err
	}
	images, err := engine.ImageIDs(ctx, model)
	if err != nil || len(images) < len(model.Services) {
		return "", err
	}
	content, err := chosen.stack().Fingerprint(ctx)
	if err != nil {
		return "", err
	}
	all, err := json.Marshal([]any{protocol, content, images, chosen.Fast, chosen.Roles, chosen.Login})
	if err != nil {
		return "", fmt.Errorf("name template: %w", err)
	}
	sum := sha256.Sum256(all)
	const short = 8
	return hex.EncodeToString(sum[:short]), nil
}

// startCloned starts a pair that begins with a template. Where there is none
// yet, it starts one from scratch and makes a template of it on the way.
func startCloned(ctx context.Context, engine *stack.Engine, chosen config, options stack.Options) (*running, error) {
	key, err := templateKey(ctx, engine, chosen)
	if err != nil {
		return nil, err
	}
	if key == "" && chosen.Memory > 0 {
		if key, err = pullFor(ctx, engine, chosen, options); err != nil {
			return nil, err
		}
	}
	if key == "" {
		return startNew(ctx, engine, chosen, options)
	}
	made, note, err := firstOfItsKind(ctx, engine, chosen, options, key)
	for made != nil && chosen.Memory > 0 { // the one that the template is made of is on disk
		if err := made.stop(ctx); err != nil {
			return nil, err
		}
		made, note, err = firstOfItsKind(ctx, engine, chosen, options, key)
	}
	if made != nil || err != nil {
		return made, err
	}
	if options.Limited, err = inMemory(ctx, chosen); err != nil {
		return nil, err
	}
	options.Template = key
	if err := json.Unmarshal([]byte(note), &options.Commands); err != nil {
		return nil, fmt.Errorf("read template %s: %w", key, err)
	}
	target, stop, err := live.Start(ctx, engine, options, chosen.choices()...)
	if err != nil {
		return nil, fmt.Errorf("begin with template %s: %w", key, err)
	}
	return &running{engine: engine, target: target, stop: stop}, nil
}

// firstOfItsKind gives the note of the template that is there. Where there is
// none it makes one, and gives the pair that it was made of.
func firstOfItsKind(ctx context.Context, engine *stack.Engine, chosen config, options stack.Options, key string) (made *running, note string, err error) {
	// One makes it, others wait and then have it.
	m := place{folder: meetingFolder(), key: "template-" + key}
	if err := m.secure(); err != nil {
		return nil, "", err
	}
	turn, err := m.lock(ctx)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	if err := expire(ctx, engine); err != nil {
		return nil, "", err
	}
	template, err := engine.Template(ctx, key)
	if !errors.Is(err, stack.ErrNoTemplate) {
		return nil, template.Note, err
	}
	if made, err = startNew(ctx, engine, chosen, options); err != nil {
		return nil, "", err
	}
	err = keep(ctx, engine, chosen, made.target, key)
	// Who has another meeting place may be making it: the pair is whole all the same.
	without := errors.Is(err, stack.ErrTemplateInUse)
	if chosen.Memory == 0 {
		without = without || errors.Is(err, stack.ErrNoVolume) || errors.Is(err, errEntrypoint)
	}
	if err != nil && !without {
		return nil, "", errors.Join(fmt.Errorf("keep template %s: %w", key, err), made.stop(context.WithoutCancel(ctx)))
	}
	return made, "", nil
}

// startNew starts a pair from scratch.
func startNew(ctx context.Context, engine *stack.Engine, chosen config, options stack.Options) (*running, error) {
	target, stop, err := live.Start(ctx, engine, options, chosen.choices()...)
	if err != nil {
		return nil, err
	}
	if chosen.Fast {
		if err := hurry(ctx, target.Pair); err != nil {
			return nil, errors.Join(err, stop(context.WithoutCancel(ctx)))
		}
	}
	return &running{engine: engine, target: target, stop: stop}, nil
}

// expire removes templates that are too old, half-made ones included.
func expire(ctx context.Context, engine *stack.Engine) error {
	all, err := engine.Templates(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		if time.Since(one.Created) > templateAge {
			// It may be in use, and then is removed the next time.
			_ = engine.RemoveTemplate(ctx, one.Key)
		}
	}
	return nil
}

// errEntrypoint says that a standby may not listen to the command that a clone gives it.
var errEntrypoint = errors.New("a standby has an entrypoint of the compose file's, which may clone whatever its command is")

// keep makes a template of a fresh pair, which goes on.
// Errors: errEntrypoint, and those of live.Keep.
func keep(ctx context.Context, engine *stack.Engine, chosen config, target *conformance.Target, key string) error {
	model, err := chosen.stack().Load(ctx)
	if err != nil {
		return err
	}
	for _, standby := range target.Pair.Standbys {
		if !listens(model.Services[standby.Name()], chosen.Hardened) {
			return fmt.Errorf("start %s again: %w", standby.Name(), errEntrypoint)
		}
	}
	commands, err := standbyCommands(ctx, target)
	if err != nil {
		return err
	}
	note, err := json.Marshal(commands)
	if err != nil {
		return err
	}
	if _, err := engine.Template(ctx, key); !errors.Is(err, stack.ErrNoTemplate) {
		return err // somebody else has made it meanwhile
	}
	return live.Keep(ctx, target, key, string(note))
}

// listens says whether a standby goes by the command that it is given. An
// image's entrypoint does; of a compose file's only the hardened overlay's is known.
func listens(service stack.Service, hardened bool) bool {
	return len(service.Entrypoint) == 0 || hardened
}

// optionsSQL reads the command line that a server was started with.
const optionsSQL = `SELECT pg_read_file('postmaster.opts')`

// standbyCommands say how to start standbys that have their data already: a
// recipe's own command may want to clone, and to clone only. It is the command
// line that the server really has, and one setting: a clone's standby comes up
// before its primary does, and would look for it again only after 5 s.
//
// Source: PostgreSQL documentation, "Database File Layout"; wal_retrieve_retry_interval.
func standbyCommands(ctx context.Context, target *conformance.Target) (map[string][]string, error) {
	commands := map[string][]string{}
	for _, standby := range target.Pair.Standbys {
		line, err := pair.One[string](ctx, standby, optionsSQL)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its command line: %w", standby.Name(), err)
		}
		commands[standby.Name()] = append(serverCommand(line), "-c", "wal_retrieve_retry_interval=100ms")
	}
	return commands, nil
}

// quoted is an argument in postmaster.opts. A quote in an argument is not escaped there.
var quoted = regexp.MustCompile(`"([^"]*)"`)

// serverCommand reads postmaster.opts: the path of the executable, then each
// argument in quotes. The path is left to the image's entrypoint, which knows
// `postgres`, and whom to run it as.
func serverCommand(line string) []string {
	command := []string{"postgres"}
	for _, argument := range quoted.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
		command = append(command, argument[1])
	}
	return command
}
