package conformance

// Scene is a state of the servers that several checks look at one after the
// other, such as after a promotion: making it costs a pair each time. The first
// of them that runs makes it, on a healthy pair, so that each can run alone.
// It ends with a check of no or another scene, and with a check that fails.
type Scene struct {
	Make func(c *C) any // gives what the checks want to know of it
}

// stage is the scene that the servers of a runner show, if any.
type stage struct {
	scene *Scene
	found any
}

func (s stage) shows(check Check) bool { return check.Scene != nil && check.Scene == s.scene }

// sceneOf gives what the check's scene found, and makes the scene first if
// this check is the first to look. T is what Make gives.
func sceneOf[T any](c *C) T {
	if !c.stage.shows(c.check) {
		found := c.check.Scene.Make(c)
		*c.stage = stage{scene: c.check.Scene, found: found}
	}
	found, ok := c.stage.found.(T)
	if !ok {
		c.Fatalf("scene gives a %T, the check wants a %T", c.stage.found, found)
	}
	return found
}
