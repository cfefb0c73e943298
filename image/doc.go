// Package image holds the local stand-in for the recipe's image: a script that
// builds it from Debian's own packages, its entrypoint, and the tests that hold
// any image of that name, stand-in or official, to what the recipe relies on.
// It has no code of its own; README.md says how the stand-in is built and told
// from the official image.
package image

// Reference is the image that the recipe asks for.
const Reference = "postgres:15.8"
