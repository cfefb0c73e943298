package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/compose/v2/pkg/compose"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The contract of the compose SDK: what it does that one would not expect, and
// what this package does because of it. The tests here need no engine, those
// of the same name that do are in sdk_contract_live_internal_test.go. When a new version
// of the SDK makes one fail, look at the code that the case names: it either
// breaks or is no longer needed.
//
// Held by a test of ours that has another name:
//
//	P4   single ephemeral ports, never ranges   TestStackLivesBesideEverythingElse
//	P5   a start changes the published port     TestServicesCanBeStoppedAndBroken/stop_and_start
//	P6   progress is JSON, one event a line     TestOpenReportsSteps, TestProgressWriter
//	P11  pausing twice is an error              TestServicesCanBeStoppedAndBroken/pause
//	P13  a cut-off container loses its port     TestIsolateCutsOffAndHeals
//	P15  Up takes over no signal                TestDeathOfTheProcessLeavesNothing
//	P21  any address is no address to go to     TestReachableAddress
//	P22  the client connects when first asked   TestOpenSaysThatNoEngineAnswers
//	P23  a closed client leaves no goroutine    TestMain, by goleak
//
// Of no concern, as nothing here calls it:
//
//	P2, P3    UpOptions.Start.Wait: readiness is asked of the servers, in SQL
//	P7, P8    Logs: logs come from the engine
//	P9        Exec: commands run through the engine
//	P16       one engine a process: no program of ours opens two different ones
//	P18       Restart: the engine restarts one container
//	P24       Logs without Project: see P7
func TestSDKContractModel(t *testing.T) {
	t.Parallel()
	for name, holds := range map[string]func(*testing.T){
		"the pinned version is the one that containers are labelled with: composeLabels":               testPinnedVersion,
		"as a library the SDK does not know its version: composeLabels":                                testNoVersionOfItsOwn,
		"P17 hashing a service writes into its model: every call loads its own, Stack.project":         testHashingWrites,
		"custom labels are in no hash, so that a run's labels change nothing: isolate":                 testCustomLabelsAreNotHashed,
		"a project's name in capitals is refused: projectName":                                         testNameInCapitals,
		"the loader knows which files it has read: composeLabels, beside":                              testFilesAreKnown,
		"paths of the host are made absolute: Fingerprint, beside":                                     testPathsAreAbsolute,
		"a service without networks is in the default one: addWatchNetworks, attachments":              testDefaultNetwork,
		"a file that is merged over another adds its ports and replaces its image: overlays":           testMergedFiles,
		"an obsolete element is no error, not even where everything else is strict: the recipe itself": testObsoleteVersion,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holds(t)
		})
	}
}

func testPinnedVersion(t *testing.T) {
	module, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	assert.Contains(t, string(module), "github.com/docker/compose/v2 "+composeVersion+"\n")
}

func testNoVersionOfItsOwn(t *testing.T) { assert.Empty(t, api.ComposeVersion) }

func testHashingWrites(t *testing.T) {
	replicas := 2
	service := types.ServiceConfig{Name: "db", Deploy: &types.DeployConfig{Replicas: &replicas}}
	_, err := compose.ServiceHash(service)
	require.NoError(t, err)
	assert.Nil(t, service.Deploy.Replicas, "it was given a copy, and yet")
}

func testCustomLabelsAreNotHashed(t *testing.T) {
	of := func(labels, custom types.Labels) [3]string {
		service, err := compose.ServiceHash(types.ServiceConfig{Name: "db", Labels: labels, CustomLabels: custom})
		require.NoError(t, err)
		network, err := compose.NetworkHash(&types.NetworkConfig{Labels: labels, CustomLabels: custom})
		require.NoError(t, err)
		volume, err := compose.VolumeHash(types.VolumeConfig{Labels: labels, CustomLabels: custom})
		require.NoError(t, err)
		return [3]string{service, network, volume}
	}
	run := types.Labels{SessionLabel: "1"}
	plain, custom, written := of(nil, nil), of(nil, run), of(run, nil)
	assert.Equal(t, plain, custom)
	for i := range plain {
		assert.NotEqual(t, plain[i], written[i], "labels of the file are")
	}
}

func testNameInCapitals(t *testing.T) {
	files := []string{composeFile(t, `services: {db: {image: postgres}}`)}
	_, err := load(t.Context(), Options{Files: files}, "UPPER")
	require.ErrorIs(t, err, ErrRecipe)
	_, err = load(t.Context(), Options{Files: files}, projectName("UPPER/Case"))
	require.NoError(t, err)
}

func testFilesAreKnown(t *testing.T) {
	first := composeFile(t, `services: {db: {image: postgres}}`)
	second := composeFile(t, `services: {db: {environment: {A: b}}}`)
	project, err := load(t.Context(), Options{Files: []string{first, second}}, "files")
	require.NoError(t, err)
	assert.Equal(t, []string{first, second}, project.ComposeFiles)
	assert.Equal(t, filepath.Dir(first), project.WorkingDir)
}

func testPathsAreAbsolute(t *testing.T) {
	file := composeFile(t, `services: {db: {image: postgres, volumes: ["./init.sql:/init.sql"]}}`)
	project, err := load(t.Context(), Options{Files: []string{file}}, "paths")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(filepath.Dir(file), "init.sql"), project.Services["db"].Volumes[0].Source)
}

func testDefaultNetwork(t *testing.T) {
	project, err := load(t.Context(), Options{Files: []string{composeFile(t, `services: {db: {image: postgres}}`)}}, "networks")
	require.NoError(t, err)
	assert.Contains(t, project.Services["db"].Networks, "default")
	assert.Contains(t, project.Networks, "default")
}

func testMergedFiles(t *testing.T) {
	first := composeFile(t, `services: {db: {image: "postgres:15", ports: ["5432:5432"]}}`)
	second := composeFile(t, `services: {db: {image: "postgres:16", ports: ["5433:5432"]}}`)
	project, err := load(t.Context(), Options{Files: []string{first, second}}, "merged")
	require.NoError(t, err)
	assert.Equal(t, "postgres:16", project.Services["db"].Image)
	assert.Len(t, project.Services["db"].Ports, 2)
}

func testObsoleteVersion(t *testing.T) {
	_, err := Load(t.Context(), composeFile(t, "version: '3.8'\nservices: {db: {image: postgres}}"))
	require.NoError(t, err)
}
