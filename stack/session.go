package stack

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Labels on everything that a run creates. They are the key of all clean-up.
const (
	SessionLabel = "io.github.postgres-master-slave.session" // which run
	hostLabel    = "io.github.postgres-master-slave.host"    // where it runs
	leaseLabel   = "io.github.postgres-master-slave.lease"   // the file it holds locked while it lives
	// KeptLabel stands in their place on what outlives its run by wish.
	KeptLabel = "io.github.postgres-master-slave.kept"
)

// session is one run: an id, and a lock on a file for as long as it lives.
// The lock, not a process id, is the sign of life: it ends with the process
// however that ends, and is never inherited by a later one.
type session struct {
	id     string
	lease  *os.File
	engine []string // variables that name it

	mutex    sync.Mutex
	watchdog *watchdog
}

func newSession(engine []string) (*session, error) {
	id := strings.ToLower(rand.Text()[:10])
	path := leasePath(id)
	lease, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644) //nolint:gosec // other users' sweeps must see the lock
	if err != nil {
		return nil, fmt.Errorf("create lease of the run: %w", err)
	}
	if err := lock(lease); err != nil {
		return nil, fmt.Errorf("lock lease of the run: %w", errors.Join(err, lease.Close(), os.Remove(path)))
	}
	if _, err := lease.WriteString(host()); err != nil {
		return nil, fmt.Errorf("write lease of the run: %w", errors.Join(err, lease.Close(), os.Remove(path)))
	}
	return &session{id: id, lease: lease, engine: engine}, nil
}

// leasePath is the file that a run holds locked; * is that of any run.
func leasePath(id string) string {
	return filepath.Join(os.TempDir(), "postgres-master-slave-"+id+".lease")
}

// sweepLeases removes the leases of dead runs: nobody else does when a run and
// its watchdog were killed, or their engine was gone. A lease says whose it is:
// a temporary folder may be shared with a machine whose locks are not seen here.
// What cannot be removed, such as another user's, stays.
func sweepLeases() {
	const orphaned = time.Hour // one that says nothing is just being made, or was cut off then
	paths, err := filepath.Glob(leasePath("*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		state, err := os.Stat(path)
		if err != nil {
			continue
		}
		here := string(text) == host() || len(text) == 0 && time.Since(state.ModTime()) > orphaned
		if here && dead(path) {
			_ = os.Remove(path)
		}
	}
}

// labels are what everything of the session carries.
func (s *session) labels() map[string]string {
	return map[string]string{SessionLabel: s.id, hostLabel: host(), leaseLabel: s.lease.Name()}
}

// watched starts the watchdog unless it runs already.
func (s *session) watched() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.watchdog != nil {
		return nil
	}
	dog, err := startWatchdog(s.id, s.engine)
	s.watchdog = dog
	return err
}

// guarded says whether the watchdog runs: before it, nothing is made.
func (s *session) guarded() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.watchdog != nil
}

// close ends the watchdog and gives up the lease.
func (s *session) close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var err error
	if s.watchdog != nil {
		err = s.watchdog.dismiss()
		s.watchdog = nil
	}
	return errors.Join(err, os.Remove(s.lease.Name()), s.lease.Close())
}

// host says where lease files of this process can be looked at: the machine,
// since two may be named alike, and in a container that container. It outlives
// a restart of the machine, after which all runs of before are dead.
// scripts/host.sh says the same.
func host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	parts := []string{name}
	if id := strings.TrimSpace(machineID()); id != "" {
		parts = append(parts, id)
	}
	if namespace, err := os.Readlink("/proc/self/ns/mnt"); err == nil {
		parts = append(parts, namespace)
	}
	return strings.Join(parts, " ")
}

// dead says whether the run that holds a lease has ended. When it cannot be
// told, the run counts as alive: nothing is removed by mistake.
func dead(leasePath string) bool {
	lease, err := os.Open(leasePath)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return false
	}
	defer func() { _ = lease.Close() }() // opened for reading: nothing can be lost
	return lock(lease) == nil
}

func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
