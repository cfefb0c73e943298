package pairtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// holderVariable tells a process that it is a holder. Of what, it reads from
// its standard input: an order has passwords, which no list of processes and no
// environment of a child shall show.
const holderVariable = "POSTGRES_MASTER_SLAVE_HOLDER"

// linger is how long a holder keeps a pair that nobody uses: the next package
// of a `go test ./...` may still be linked.
const linger = 10 * time.Second

// order is what a holder is to do.
type order struct {
	Folder, Key string
	Config      config
	Linger      time.Duration
	Limit       time.Duration // for the making of the pair
}

// A holder is this executable with holderVariable set. It must act before the
// program or its tests begin, hence an init function.
func init() { //nolint:gochecknoinits // see above
	if os.Getenv(holderVariable) == "" {
		return
	}
	if err := os.Unsetenv(holderVariable); err != nil { // its watchdog is no holder
		os.Exit(1)
	}
	const (
		result = 3 // the pipe on which the starter listens until it is closed
		turn   = 4 // the starter's lock: it would end with the starter
	)
	syscall.CloseOnExec(result) // the watchdog would keep them open
	syscall.CloseOnExec(turn)
	if err := hold(context.Background(), os.Stdin, os.NewFile(turn, "turn"), os.NewFile(result, "result")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startHolder starts a holder and waits until its pair replicates. The caller
// has the lock, and the holder has it too until it listens: when the caller
// dies, the next one still waits for it.
func (m place) startHolder(ctx context.Context, turn *os.File, chosen config) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	limit := startLimit
	if end, known := ctx.Deadline(); known {
		limit = time.Until(end)
	}
	do, err := json.Marshal(order{Folder: m.folder, Key: m.key, Config: chosen, Linger: linger, Limit: limit})
	if err != nil {
		return err
	}
	log, err := os.Create(m.log())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // nothing was written here
	result, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = result.Close() }() // it was only read
	process := exec.Command(executable)   //nolint:noctx // it must outlive every context of this process
	process.Env = append(os.Environ(), holderVariable+"=yes")
	process.Dir = "/"                                        // keeps no directory busy
	process.Stderr = log                                     // `go test` would wait for its own to be closed
	process.ExtraFiles = []*os.File{theirs, turn}            // the third and the fourth after the standard ones
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is for one test run, others may share the pair
	orders, err := process.StdinPipe()
	if err != nil {
		return errors.Join(err, theirs.Close())
	}
	err = process.Start()
	if err = errors.Join(err, theirs.Close()); err != nil {
		return err
	}
	// A holder that died before it read them says why below.
	_, _ = orders.Write(do)
	_ = orders.Close()
	stop := context.AfterFunc(ctx, func() { _ = result.Close() }) // the reader gets the error
	defer stop()
	said, err := io.ReadAll(result)
	switch {
	case err != nil:
		return errors.Join(context.Cause(ctx), err)
	case string(said) == ready:
		return process.Process.Release()
	}
	written, err := os.ReadFile(m.log())
	return fmt.Errorf("%s%s%w", said, written, errors.Join(process.Wait(), err))
}

// ready is what a holder says to its starter when all is well.
const ready = "ready"

// hold is a holder's whole life: it makes a pair, tells whoever connects where
// it is, and removes it when nobody has been connected for a while.
func hold(ctx context.Context, orders io.Reader, turn io.Closer, result io.WriteCloser) error {
	var do order
	if err := json.NewDecoder(orders).Decode(&do); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	m := place{folder: do.Folder, key: do.Key}
	starting, cancel := context.WithTimeout(ctx, do.Limit)
	defer cancel()
	made, err := start(starting, do.Config, false)
	if err != nil {
		return err
	}
	err = m.serve(ctx, made.target.Pair, do.Linger, turn, result)
	ctx, cancel = context.WithTimeout(ctx, removeLimit)
	defer cancel()
	return errors.Join(err, made.remove(ctx))
}

// serve lets tests share a pair until nobody has for a while. It has the
// starter's turn at the place until it listens.
func (m place) serve(ctx context.Context, servers *pair.Pair, linger time.Duration, turn io.Closer, result io.WriteCloser) error {
	// A dead holder's socket is in the way.
	if err := os.Remove(m.socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("take over socket: %w", err)
	}
	door, err := m.open()
	if err != nil {
		return fmt.Errorf("listen for tests: %w", err)
	}
	// A starter that has died meanwhile hears nothing: it is not waited for.
	_, _ = io.WriteString(result, ready)
	if err := errors.Join(result.Close(), turn.Close()); err != nil {
		return errors.Join(err, door.Close())
	}
	guests := newGuests(linger)
	go guests.welcome(ctx, door, servers)
	for {
		<-guests.idle.C
		left, err := m.leave(ctx, guests, door)
		if left || err != nil {
			return err
		}
	}
}

// leave closes the door unless somebody has come. With the lock, nobody is just
// about to.
func (m place) leave(ctx context.Context, guests *guests, door *door) (left bool, err error) {
	turn, err := m.lock(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	if guests.some() {
		return false, nil
	}
	return true, door.Close()
}
