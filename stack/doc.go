// Package stack runs compose files as throw-away compose projects.
//
// An [Engine] is a connection to a container engine, a [Stack] is one compose
// project on it, started by [Engine.Up] from files that are never edited:
// ports become ephemeral and bound to loopback, names and labels become the
// run's own, all on the loaded model in memory.
//
// An engine on another machine gets copies of the files that services mount,
// and ports are published where it answers: see [Engine.Remote]. A stack that
// somebody has deployed to a swarm is looked at and broken, never removed: see
// [Swarm].
//
// It is the only package that knows the compose SDK and the engine's API, and
// none of their types shows through its door.
//
// Clean-up is a promise. Whatever a run creates carries the run's label
// before it exists, and is removed by the first of these that comes to pass:
// [Stack.Down]; the handler of SIGINT and SIGTERM; a watchdog process that
// sees this process die, however it dies; the sweep of dead runs when the
// next Engine is opened.
//
// Only what a run keeps on purpose outlives it: a template, the volumes of a
// stack with which later ones begin ([Stack.Keep], [Engine.RemoveTemplate]).
//
// The SDK logs by way of logrus, whose standard logger is discarded if it still
// writes to the standard error when the package is first used. Its level is
// left as it is.
//
// The watchdog is this same executable, started again: importing the package
// makes a program behave as the watchdog when the environment says so.
package stack
