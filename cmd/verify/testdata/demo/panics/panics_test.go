package panics

import "testing"

func TestPanics(*testing.T) { panic("on purpose") }
