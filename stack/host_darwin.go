package stack

import "syscall"

// machineID tells this machine from others of its name, or is empty.
//
// Source: sysctl(3), kern.uuid.
func machineID() string {
	id, err := syscall.Sysctl("kern.uuid")
	if err != nil {
		return ""
	}
	return id
}
