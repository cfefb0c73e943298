package stack

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/containerd/errdefs"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contract is a stack on which the SDK itself is called.
type contract struct {
	*Stack
}

func contractStack(t *testing.T, file string, observe func(Step)) contract {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	engine, err := Open(t.Context(), observe)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, engine.Close()) })
	stack, err := engine.Prepare(t.Context(), Options{Files: []string{file}, Name: "contract"})
	require.NoError(t, err)
	return contract{stack}
}

func (c contract) loaded(t *testing.T) *types.Project {
	t.Helper()
	project, err := c.project(t.Context())
	require.NoError(t, err)
	return project
}

func (c contract) id(t *testing.T, service string) string {
	t.Helper()
	id, err := c.find(t.Context(), service)
	require.NoError(t, err)
	return id
}

func (c contract) state(t *testing.T, service string) Container {
	t.Helper()
	found, err := c.Inspect(t.Context(), service)
	require.NoError(t, err)
	return found
}

// TestSDKContract is the part of the contract that needs an engine: see
// TestSDKContractModel. The cases follow each other on one stack.
func TestSDKContract(t *testing.T) {
	c := contractStack(t, "testdata/contract.yml", nil)
	require.NoError(t, c.Up(t.Context()))
	for _, one := range []struct {
		name  string
		holds func(*testing.T, contract)
	}{
		{"P3 Up waits for nobody's health: Stack.Up, whose callers ask the servers", testUpWaitsForNobody},
		{"containers are found again by labels that the caller sets: composeLabels", testFoundByLabels},
		{"Up leaves alone what has not changed, whatever run it is of: Recreate", testUpLeavesAlone},
		{"P10 what a verb does not find is no error: Stack.act goes to the engine", testSilentNothing},
		{"P26 Start of one service starts all: Stack.Start goes to the engine", testStartStartsAll},
		{"P26 Up of one service starts all, too: Stack.Recreate says so", testUpStartsAll},
		{"P14 Up makes a cut-off container anew: healing is NetworkConnect, never Up", testUpRecreatesCutOff},
		{"P25 before it deletes a volume that has changed it asks: the prompt that Open sets refuses", testChangedVolume},
		{"P11, P12 Down removes what is paused, and is silent about a network in use: Leftovers has the last word", testDownIsSilent},
	} {
		if !t.Run(one.name, func(t *testing.T) { one.holds(t, c) }) {
			break // the next ones would stand on what this one left
		}
	}
}

func testUpWaitsForNobody(t *testing.T, c contract) {
	assert.Equal(t, "starting", c.state(t, "base").Health)
}

func testFoundByLabels(t *testing.T, c contract) {
	found, err := c.engine.compose.Ps(t.Context(), c.name, api.PsOptions{All: true, Project: c.loaded(t)})
	require.NoError(t, err)
	require.Len(t, found, 2)

	project, err := load(t.Context(), Options{Files: []string{"testdata/contract.yml"}}, c.name+"-bare")
	require.NoError(t, err)
	isolate(project, c.labels(), Options{})
	bare := project.Services["base"]
	bare.CustomLabels = merged(nil, c.labels())
	project.Services = types.Services{"base": bare}
	require.NoError(t, c.engine.compose.Create(t.Context(), project, api.CreateOptions{}))
	found, err = c.engine.compose.Ps(t.Context(), project.Name, api.PsOptions{All: true, Project: project})
	require.NoError(t, err)
	assert.Empty(t, found, "without them it is there and not seen")
}

func testUpLeavesAlone(t *testing.T, c contract) {
	ids := func() []string { return []string{c.id(t, "base"), c.id(t, "follower")} }
	before := ids()
	err := c.bring(t.Context(), nil, func(ctx context.Context, project *types.Project, create api.CreateOptions) error {
		for name, service := range project.Services {
			service.CustomLabels[SessionLabel] = "another"
			project.Services[name] = service
		}
		return c.engine.compose.Up(ctx, project, api.UpOptions{Create: create, Start: api.StartOptions{Project: project, Services: create.Services}})
	})
	require.NoError(t, err)
	assert.Equal(t, before, ids())
}

func testSilentNothing(t *testing.T, c contract) {
	require.NoError(t, c.engine.compose.Pause(t.Context(), c.name, api.PauseOptions{Project: c.loaded(t), Services: []string{"nobody"}}))
	other := c.loaded(t)
	other.Name += "-never-was"
	require.NoError(t, c.engine.compose.Down(t.Context(), other.Name, api.DownOptions{Project: other}))
	require.ErrorIs(t, c.Pause(t.Context(), "nobody"), ErrNoContainer, "ours says so")
}

func testStartStartsAll(t *testing.T, c contract) {
	require.NoError(t, c.StopAll(t.Context()))
	require.NoError(t, c.engine.compose.Start(t.Context(), c.name, api.StartOptions{Project: c.loaded(t), Services: []string{"base"}}))
	assert.Equal(t, "running", c.state(t, "base").State)
	assert.Equal(t, "running", c.state(t, "follower").State)
}

func testUpStartsAll(t *testing.T, c contract) {
	require.NoError(t, c.StopAll(t.Context()))
	require.NoError(t, c.up(t.Context(), "base"))
	assert.Equal(t, "running", c.state(t, "base").State)
	assert.Equal(t, "running", c.state(t, "follower").State)
}

func testUpRecreatesCutOff(t *testing.T, c contract) {
	before := c.id(t, "follower")
	require.NoError(t, c.engine.cli.Client().NetworkDisconnect(t.Context(), c.name+"_default", before, true))
	require.NoError(t, c.up(t.Context(), "follower"))
	assert.NotEqual(t, before, c.id(t, "follower"))
}

// volumes are those of a service's container.
func (c contract) volumes(t *testing.T, service string) []string {
	t.Helper()
	found, err := c.inspect(t.Context(), service)
	require.NoError(t, err)
	var names []string
	for _, used := range found.Mounts {
		names = append(names, used.Name)
	}
	return names
}

func testChangedVolume(t *testing.T, c contract) {
	_, err := c.Exec(t.Context(), "base", nil, "touch", "/data/kept")
	require.NoError(t, err)
	err = c.bring(t.Context(), nil, func(ctx context.Context, project *types.Project, create api.CreateOptions) error {
		volume := project.Volumes["data"]
		volume.Labels = types.Labels{"changed": "yes"}
		project.Volumes["data"] = volume
		return c.engine.compose.Create(ctx, project, create)
	})
	require.ErrorContains(t, err, "refuse to answer the prompt")
	require.ErrorContains(t, err, "data will be lost")
	ended, err := c.Exec(t.Context(), "base", nil, "ls", "/data")
	require.NoError(t, err)
	assert.Equal(t, "kept\n", ended.Stdout)
}

func testDownIsSilent(t *testing.T, c contract) {
	engine := c.engine.cli.Client()
	guest, err := engine.ContainerCreate(t.Context(), &container.Config{
		Image: c.state(t, "base").ImageID, Entrypoint: []string{"sleep", "infinity"}, Labels: c.labels(),
	}, &container.HostConfig{NetworkMode: container.NetworkMode(c.name + "_default")}, nil, nil, "")
	require.NoError(t, err)
	require.NoError(t, engine.ContainerStart(t.Context(), guest.ID, container.StartOptions{}))
	require.NoError(t, c.Pause(t.Context(), "base"))
	inherited := c.volumes(t, "follower") // it was made anew
	require.NotEmpty(t, inherited)

	require.NoError(t, c.Down(t.Context()))
	for _, name := range inherited {
		_, err := engine.VolumeInspect(t.Context(), name)
		require.True(t, errdefs.IsNotFound(err), "volume %s without a name is still there: %v", name, err)
	}
	left, err := c.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"network " + c.name + "_default"}, left)
	require.NoError(t, removeContainer(t.Context(), engine, guest.ID))
	require.NoError(t, c.Down(t.Context()), "a second time")
	left, err = c.Leftovers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Of an Up that is cut off there is no more to say than that it failed: what it
// has made by then stays, and Engine.Up or Discard removes it.
func TestSDKContractOfAnUpThatIsCutOff(t *testing.T) {
	t.Run("P20 what was made stays: Engine.Up removes it", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := contractStack(t, "testdata/contract.yml", func(step Step) {
			if strings.HasPrefix(step.Subject, "Container ") && step.Status == "Created" {
				cancel()
			}
		})
		require.ErrorIs(t, c.Up(ctx), context.Canceled)
		left, err := c.Leftovers(t.Context())
		require.NoError(t, err)
		assert.NotEmpty(t, left)
		require.NoError(t, c.Discard(t.Context()))
	})
	t.Run("P1 while it waits for a service's health it may say nil: Stack.bring asks the context", func(t *testing.T) {
		c := contractStack(t, "testdata/never-healthy.yml", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.ErrorIs(t, c.Up(ctx), context.DeadlineExceeded)
	})
	t.Run("P19 without BuildOptions it builds nothing: buildOptions asks for it", func(t *testing.T) {
		c := contractStack(t, composeFile(t, `services: {db: {build: {context: ., dockerfile_inline: "FROM postgres:15.8"}}}`), nil)
		project := c.loaded(t)
		isolate(project, c.labels(), Options{})
		err := c.engine.compose.Create(t.Context(), project, api.CreateOptions{Services: project.ServiceNames()})
		require.ErrorContains(t, err, "No such image")
		require.NoError(t, c.Discard(t.Context()))
	})
}
