package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// stays watches a fact for some time; it fails as soon as it does not hold.
func (c *C) stays(fact string, lasts time.Duration, holds func() (ok bool, seen string)) {
	const interval = 50 * time.Millisecond
	end := time.Now().Add(lasts)
	err := pair.Poll(c.ctx, interval, func(context.Context) (bool, error) {
		if ok, seen := holds(); !ok {
			return false, fmt.Errorf("not any more after %s: %s", (lasts - time.Until(end)).Round(time.Millisecond), seen)
		}
		return time.Now().After(end), nil
	})
	if err != nil {
		c.Fatalf("%s: %v", fact, err)
	}
}
