package harness

import "testing"

func TestPair(t *testing.T) {
	t.Run("slot", func(t *testing.T) {
		t.Run("used", func(t *testing.T) {
			t.Attr("check.id", "slot/used")
			t.Attr("check.verdict", "error")
			t.Error("the engine fell over")
		})
	})
}
