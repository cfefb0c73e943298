package stack

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The file is made by whoever comes first, and is another user's for all others.
func TestUsersTakeTurns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	folder, err := os.MkdirTemp("", "pms") //nolint:usetesting // the folders above it must be open to all
	require.NoError(t, err)
	defer func() { assert.NoError(t, os.RemoveAll(folder)) }()
	require.NoError(t, os.Chmod(folder, 0o777|os.ModeSticky)) // as /tmp is
	t.Setenv("TMPDIR", folder)

	mask := syscall.Umask(0o077)
	release, err := TakeTurn(t.Context())
	syscall.Umask(mask)
	require.NoError(t, err)
	require.NoError(t, release())

	const nobody = 65534
	runtime.LockOSThread() // which is another user's from here on
	defer runtime.UnlockOSThread()
	require.NoError(t, syscall.Setfsuid(nobody))
	release, err = TakeTurn(t.Context())
	require.NoError(t, syscall.Setfsuid(0))
	require.NoError(t, err)
	require.NoError(t, release())
	require.FileExists(t, filepath.Join(folder, turnFile))
}
