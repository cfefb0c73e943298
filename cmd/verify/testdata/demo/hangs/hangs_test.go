package hangs

import (
	"os"
	"os/signal"
	"testing"
	"time"
)

// It notices the interrupt, as a test that cleans up does, and hangs on when
// it is told to.
func TestHangs(t *testing.T) {
	t.Run("finished", func(t *testing.T) { t.Log("done") })
	t.Run("under-way", func(t *testing.T) {
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, os.Interrupt)
		t.Log("waiting")
		for {
			select {
			case <-interrupts:
				if os.Getenv("STUBBORN") == "" {
					os.Exit(3)
				}
			case <-time.After(time.Minute):
				t.Fatal("nobody interrupted")
			}
		}
	})
}
