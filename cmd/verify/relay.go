package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// patience is how many signals the tests get to clean up. The next one kills
// them, so that a test that hangs does not take the report along.
const patience = 2

// relay passes signals that would end this process on to a process group, as
// SIGINT. This process goes on, to write its reports.
type relay struct {
	signals chan os.Signal
	done    chan struct{}

	mutex sync.Mutex
	group int // 0 when there is none
	count int
	first syscall.Signal
}

func newRelay() *relay {
	r := &relay{signals: make(chan os.Signal, 4), done: make(chan struct{})}
	signal.Notify(r.signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(r.done)
		for one := range r.signals {
			r.pass(one)
		}
	}()
	return r
}

// close ends the relay. Signals end the process again.
func (r *relay) close() {
	signal.Stop(r.signals)
	close(r.signals)
	<-r.done
}

// begin names the group. It gets a signal that came too early for it.
func (r *relay) begin(group int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.group = group
	if r.count > 0 {
		r.kill(syscall.SIGINT)
	}
}

func (r *relay) end() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.group = 0
}

// received is the first signal, 0 when there was none.
func (r *relay) received() syscall.Signal {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.first
}

func (r *relay) pass(one os.Signal) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if number, ok := one.(syscall.Signal); ok && r.first == 0 {
		r.first = number
	}
	if r.count++; r.count > patience {
		r.kill(syscall.SIGKILL)
		return
	}
	r.kill(syscall.SIGINT)
}

func (r *relay) kill(with syscall.Signal) {
	if r.group == 0 {
		return
	}
	if err := syscall.Kill(-r.group, with); err != nil && !errors.Is(err, syscall.ESRCH) {
		fmt.Fprintf(os.Stderr, "verify: interrupt the tests: %v\n", err)
	}
}
