//go:build !darwin

package stack

import "os"

// machineID tells this machine from others of its name, or is empty.
//
// Source: machine-id(5).
func machineID() string {
	text, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return ""
	}
	return string(text)
}
