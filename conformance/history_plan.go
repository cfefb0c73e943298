package conformance

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"
)

// seedVariable chooses the seed of a history, to run it again. The seed fixes
// which faults come in which order and for how long, and what each client
// does; not how the machine schedules them.
const seedVariable = "CONFORMANCE_SEED"

// maxSeed keeps seeds short enough to type.
const maxSeed = 1_000_000

// historySeed is the seed that the environment asks for, or one of its own.
func historySeed() (uint64, error) {
	if text := os.Getenv(seedVariable); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", seedVariable, err)
		}
		return seed, nil
	}
	var bytes [8]byte
	_, _ = rand.Read(bytes[:]) // it never fails
	return binary.NativeEndian.Uint64(bytes[:]) % maxSeed, nil
}

// crashed is a fault that needs no container: SIGKILL of one server process,
// upon which the server ends all others and recovers in place.
const crashed Fault = "kill a server process"

// act is one fault of a plan.
type act struct {
	Fault   Fault
	Standby bool // else the primary
	Hold    time.Duration
}

func (a act) String() string {
	node := "primary"
	if a.Standby {
		node = "standby"
	}
	return fmt.Sprintf("%s %s %s", a.Fault, node, a.Hold)
}

// planned puts faults in a random order, each for a random time.
func planned(random *mathrand.Rand, acts []act) []act {
	const shortest, spread = 200 * time.Millisecond, 500 * time.Millisecond
	plan := slices.Clone(acts)
	random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	for i := range plan {
		plan[i].Hold = (shortest + time.Duration(random.Int64N(int64(spread)))).Round(time.Millisecond)
	}
	return plan
}

// randomFor gives a stream of its own to the plan and to each client.
func randomFor(seed uint64, stream int) *mathrand.Rand {
	return mathrand.New(mathrand.NewPCG(seed, uint64(stream))) //nolint:gosec // it must be reproducible, not secret
}
