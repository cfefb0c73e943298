package conformance_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// shuffled puts checks in a random order. The runner sees to it that each
// finds a whole pair, whatever ran before it; but those of one scene look one
// after the other at what the first of them made, so they stay together.
func shuffled(checks []conformance.Check, random *rand.Rand) []conformance.Check {
	scenes := blocks(checks, func(one, next conformance.Check) bool { return one.Scene != nil && one.Scene == next.Scene })
	shuffle(scenes, random)
	return slices.Concat(scenes...)
}

// chaptersOf groups checks by their chapters.
func chaptersOf(checks []conformance.Check) [][]conformance.Check {
	return blocks(checks, func(one, next conformance.Check) bool { return one.Chapter() == next.Chapter() })
}

// blocks cuts a list wherever a check does not belong with the next.
func blocks(checks []conformance.Check, together func(one, next conformance.Check) bool) [][]conformance.Check {
	var found [][]conformance.Check
	for i, check := range checks {
		if i == 0 || !together(checks[i-1], check) {
			found = append(found, nil)
		}
		last := &found[len(found)-1]
		*last = append(*last, check)
	}
	return found
}

func shuffle[T any](list []T, random *rand.Rand) {
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func idsOf(checks []conformance.Check) (ids []string) {
	for _, check := range checks {
		ids = append(ids, check.ID)
	}
	return ids
}

func TestFaultsAreShuffledBySeed(t *testing.T) {
	faults := conformance.Faults()
	once := idsOf(shuffled(faults, seeded(1)))
	assert.ElementsMatch(t, idsOf(faults), once, "none is lost or doubled")
	assert.Equal(t, once, idsOf(shuffled(faults, seeded(1))), "the seed gives the order again")
	assert.NotEqual(t, once, idsOf(shuffled(faults, seeded(2))))
	assert.NotEqual(t, idsOf(faults), once)
}

func TestShufflingKeepsScenesTogether(t *testing.T) {
	scene, other := &conformance.Scene{}, &conformance.Scene{}
	checks := []conformance.Check{
		{ID: "a/1"}, {ID: "a/2", Scene: scene}, {ID: "a/3", Scene: scene}, {ID: "a/4", Scene: other}, {ID: "a/5"}, {ID: "a/6"},
	}
	for seed := range uint64(20) {
		ids := idsOf(shuffled(checks, seeded(seed)))
		assert.Equal(t, slices.Index(ids, "a/2")+1, slices.Index(ids, "a/3"), "%v", ids)
	}
}

func TestChaptersOfFaultsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, chapter := range chaptersOf(conformance.Faults()) {
		assert.False(t, seen[chapter[0].Chapter()], "%s stands twice", chapter[0].Chapter())
		seen[chapter[0].Chapter()] = true
	}
	assert.Greater(t, len(seen), 1)
}
