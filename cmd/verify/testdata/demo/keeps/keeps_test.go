package keeps

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKeeps(t *testing.T) {
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "server.log"), []byte("ready"), 0o600); err != nil {
		t.Fatal(err)
	}
}
