package conformance

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// registerUse is one read or write of a register on the primary.
type registerUse struct {
	Client       int
	Key          int
	Writes       bool
	Value        int64 // what was written or read; 0 is the value in the beginning
	Outcome      Outcome
	Began, Ended time.Duration // since the check began
}

// registerModel is a single register: a read gives the last value written.
func registerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return int64(0) },
		Step: func(state, input, output any) (bool, any) {
			use, ok := input.(registerUse)
			if !ok {
				return false, state
			}
			if use.Writes {
				return true, use.Value
			}
			return output == state, state
		},
	}
}

// linearizable says what is wrong with the uses of registers, or "": each must
// seem to happen at one moment between its beginning and its end. A write of
// unknown outcome may happen at any time from its beginning on, or never. The
// error is that the question could not be answered within limit.
func linearizable(uses []registerUse, limit time.Duration) (violation string, err error) {
	byKey := map[int][]porcupine.Operation{}
	for _, use := range uses {
		if use.Outcome == Refused || use.Outcome == Unknown && !use.Writes {
			continue // nothing happened, or nothing that anybody could see
		}
		end := int64(use.Ended)
		if use.Outcome == Unknown {
			end = math.MaxInt64
		}
		byKey[use.Key] = append(byKey[use.Key], porcupine.Operation{
			ClientId: use.Client, Input: use, Output: use.Value, Call: int64(use.Began), Return: end,
		})
	}
	for key, operations := range byKey {
		switch porcupine.CheckOperationsTimeout(registerModel(), operations, limit) {
		case porcupine.Ok:
		case porcupine.Illegal:
			return fmt.Sprintf("not linearizable: no order of the %d uses of register %d explains what was read", len(operations), key), nil
		case porcupine.Unknown:
			return "", fmt.Errorf("look for an order of the %d uses of register %d: none found within %s", len(operations), key, limit)
		}
	}
	return "", nil
}
