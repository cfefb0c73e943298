package pairtest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// Option changes how a pair is made.
type Option func(*config)

// config says how a pair is made. A holder gets it as JSON, through a pipe.
type config struct {
	Files    []string // compose files, absolute; nil is the shipped recipe
	Hardened bool     // the hardened overlay over the shipped recipe
	Fast     bool
	Scratch  bool  // without a template
	Memory   int64 // bytes of each volume in memory; 0 is on disk

	Environment []string
	Profiles    []string
	Roles       live.Roles
	Login       live.Login
}

// stack says what of it concerns the compose files.
func (c config) stack() stack.Options {
	return stack.Options{Files: c.Files, Environment: c.Environment, Profiles: c.Profiles, Name: "pairtest"}
}

// choices says what of it concerns the servers.
func (c config) choices() []live.Option {
	var chosen []live.Option
	if c.Roles.Primary != "" || len(c.Roles.Standbys) > 0 {
		chosen = append(chosen, live.WithRoles(c.Roles))
	}
	if c.Login != (live.Login{}) {
		chosen = append(chosen, live.WithLogin(c.Login))
	}
	return chosen
}

// Files runs compose files of one's own, merged in this order, in place of the
// shipped recipe. They must give a primary and a standby. Whether they publish a
// port or not, each gets one of the test's own, as names and volumes are.
func Files(files ...string) Option {
	return func(c *config) { c.Files = append([]string{}, files...) } // it is changed later, and none is not nil
}

// Environment gives the variables, KEY=value, that compose files refer to. A
// file .env beside the first compose file counts too. Without this option
// neither does, nor do the variables of the test.
func Environment(variables ...string) Option {
	return func(c *config) { c.Environment = append([]string{}, variables...) }
}

// Profiles activates profiles of the compose files.
func Profiles(names ...string) Option {
	return func(c *config) { c.Profiles = slices.Clone(names) }
}

// Roles names the services that are the pair, where the compose files have
// more servers than those or it is not plain which they are.
func Roles(primary string, standbys ...string) Option {
	return func(c *config) { c.Roles = live.Roles{Primary: primary, Standbys: slices.Clone(standbys)} }
}

// Login says who to be in the servers and in which database. What is empty is
// found in the services' variables.
func Login(user, password, database string) Option {
	return func(c *config) { c.Login = live.Login{User: user, Password: password, Database: database} }
}

// Hardened runs the shipped recipe with the hardened overlay: TLS, health
// checks, a standby that survives restarts.
func Hardened() Option {
	return func(c *config) { c.Hardened = true }
}

// Fast switches off what a server does so that data survive a crash of the
// machine: fsync and full_page_writes. Commits need no disk then, and the
// servers may not survive a power failure, which a test does not mind. That a
// commit waits for its own WAL to be written is left as it is, so that
// [DB.WaitForReplay] covers it.
//
// Source: PostgreSQL documentation, "Non-Durable Settings".
func Fast() Option {
	return func(c *config) { c.Fast = true }
}

// InMemory keeps the servers' volumes in memory, so many bytes each at most:
// nothing waits for a disk. A server finds its data again after a fault; when
// the pair ends they are gone, and so they are after a crash of the machine.
// Such a pair begins with a template; see FromScratch. The memory is the
// engine's, and counts while the volume has content.
func InMemory(bytes int64) Option {
	return func(c *config) { c.Memory = bytes }
}

// FromScratch makes the pair as its compose files do, by initdb and base backup.
// Otherwise a copy of the first pair of its kind is kept as a template, in volumes
// of the engine, and later ones begin with a copy of that: the same cluster, with
// the same system identifier, whose standby starts as plain `postgres` and looks for its
// primary every 100 ms (wal_retrieve_retry_interval). A template is known by
// the content of the compose files and of what they mount, by the options and
// by the images. It is made anew after a week; cmd/pairtemplates lists and
// removes templates. There is none of a pair whose image is built, whose data
// are on no volume with a name, or whose standby has an entrypoint of the
// compose file's: each is made from scratch.
func FromScratch() Option {
	return func(c *config) { c.Scratch = true }
}

// configure applies options and finds the compose files.
func configure(options []Option) (config, error) {
	var chosen config
	for _, option := range options {
		option(&chosen)
	}
	switch {
	case chosen.Memory < 0:
		return config{}, fmt.Errorf("choose memory: %d bytes cannot hold a server", chosen.Memory)
	case chosen.Memory > 0 && chosen.Scratch:
		return config{}, errors.New("choose memory: data in memory begin with a template, and FromScratch does without")
	}
	if chosen.Files != nil && len(chosen.Files) == 0 {
		return config{}, errors.New("choose recipe: Files names no compose file")
	}
	if chosen.Files == nil {
		var err error
		chosen.Files, err = unpack(chosen.Hardened)
		return chosen, err
	}
	if chosen.Hardened {
		return config{}, errors.New("choose recipe: Hardened is an overlay over the shipped recipe, and Files gives another")
	}
	for i, file := range chosen.Files {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return config{}, fmt.Errorf("find compose file: %w", err)
		}
		chosen.Files[i] = absolute
	}
	return chosen, nil
}
