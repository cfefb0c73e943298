package refuses

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(*testing.M) {
	fmt.Fprintln(os.Stderr, "no such recipe")
	os.Exit(2)
}

func TestNothing(*testing.T) {}
