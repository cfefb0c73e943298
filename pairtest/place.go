package pairtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// protocol changes whenever holders and tests of two versions of this package
// would not understand each other.
const protocol = 1

// errNotOurs says that somebody else could speak for a holder.
var errNotOurs = errors.New("is not a folder that only this user can write to")

// place is where the processes that share a pair meet: a lock and a socket,
// named after everything that makes the pair what it is.
type place struct{ folder, key string }

func (m place) socket() string { return filepath.Join(m.folder, m.key+".sock") }
func (m place) log() string    { return filepath.Join(m.folder, m.key+".log") }

func meetingFolder() string {
	return filepath.Join(os.TempDir(), "pairtest-"+strconv.Itoa(os.Getuid()))
}

func meetingPlace(ctx context.Context, chosen config) (place, error) {
	content, err := chosen.stack().Fingerprint(ctx)
	if err != nil {
		return place{}, err
	}
	options, err := json.Marshal(chosen)
	if err != nil {
		return place{}, fmt.Errorf("name shared pair: %w", err)
	}
	sum := sha256.New()
	// A hash takes everything.
	_, _ = fmt.Fprintln(sum, protocol, content, string(options), os.Getenv("DOCKER_HOST"), os.Getenv("DOCKER_CONTEXT"))
	// A socket's path must be short: some systems take no more than 104 bytes.
	const short = 8
	m := place{
		folder: meetingFolder(),
		key:    hex.EncodeToString(sum.Sum(nil)[:short]),
	}
	return m, m.secure()
}

// secure makes the folder, and makes sure that nobody else can write to it.
func (m place) secure() error {
	const private = 0o700
	if err := os.Mkdir(m.folder, private); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make meeting place: %w", err)
	}
	found, err := os.Lstat(m.folder)
	if err != nil {
		return fmt.Errorf("look at meeting place: %w", err)
	}
	owner, known := found.Sys().(*syscall.Stat_t)
	if !found.IsDir() || found.Mode().Perm() != private || !known || int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("meet in %s: it %w", m.folder, errNotOurs)
	}
	return nil
}

// lock waits for a turn at the place. The turn ends when the file is closed, by
// every process that has it.
func (m place) lock(ctx context.Context) (turn *os.File, err error) {
	const interval, private = 10 * time.Millisecond, 0o600
	file, err := os.OpenFile(filepath.Join(m.folder, m.key+".lock"), os.O_CREATE|os.O_RDWR, private)
	if err != nil {
		return nil, fmt.Errorf("lock meeting place: %w", err)
	}
	err = pair.Poll(ctx, interval, func(context.Context) (bool, error) {
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil, nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock meeting place: %w", err), file.Close())
	}
	return file, nil
}
