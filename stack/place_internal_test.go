package stack

import (
	"net"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLocate(t *testing.T) {
	for engine, want := range map[string]place{
		"unix:///var/run/docker.sock":  {host: "127.0.0.1"},
		"npipe:////./pipe/docker":      {host: "127.0.0.1"},
		"tcp://127.0.0.1:2375":         {host: "127.0.0.1"},
		"tcp://localhost:2376":         {host: "127.0.0.1"},
		"ssh://somebody@[::1]":         {host: "127.0.0.1"},
		"tcp://192.0.2.7:2375":         {host: "192.0.2.7", remote: true},
		"tcp://[::ffff:192.0.2.7]:23":  {host: "192.0.2.7", remote: true},
		"ssh://somebody@192.0.2.7":     {host: "192.0.2.7", remote: true},
		"https://[2001:db8::7]:2376/x": {host: "2001:db8::7", remote: true},
	} {
		t.Run(engine, func(t *testing.T) {
			found, err := locate(t.Context(), engine)
			require.NoError(t, err)
			want.engine = engine
			assert.Equal(t, want, found)
		})
	}
}

func TestLocateWhatHasNoAddress(t *testing.T) {
	_, err := locate(t.Context(), "ssh://an-alias-of-ssh.invalid")
	require.ErrorIs(t, err, ErrRemoteEngine)
	require.ErrorContains(t, err, "ssh://an-alias-of-ssh.invalid")
}

func TestPublishedAddress(t *testing.T) {
	here, elsewhere := place{host: loopback}, place{host: "192.0.2.7", remote: true}
	for name, test := range map[string]struct {
		place       place
		bound, want string
	}{
		"any address":                   {here, "0.0.0.0", "127.0.0.1"},
		"any address, v6":               {here, "::", "127.0.0.1"},
		"none yet":                      {here, "", "127.0.0.1"},
		"one":                           {here, "192.0.2.9", "192.0.2.9"},
		"any of another machine":        {elsewhere, "0.0.0.0", "192.0.2.7"},
		"an inner one of that machine":  {elsewhere, "10.0.0.1", "192.0.2.7"},
		"the loopback of that machine":  {elsewhere, "127.0.0.1", "192.0.2.7"},
		"the one that is asked for all": {elsewhere, "192.0.2.7", "192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, test.place.reach(test.bound)) })
	}
}

func TestPortsArePublishedWhereTheyCanBeReached(t *testing.T) {
	project := &types.Project{Services: types.Services{"db": {Name: "db", Ports: []types.ServicePortConfig{{Target: 5432, HostIP: loopback}}}}}
	place{host: "192.0.2.7", remote: true}.publish(project)
	assert.Equal(t, "192.0.2.7", project.Services["db"].Ports[0].HostIP)
}

func TestIsLoopback(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "192.0.2.7": false, "example.org": false,
	} {
		assert.Equal(t, want, isLoopback(name), name)
	}
}

func TestNoBridgeOfThisMachineLeadsThere(t *testing.T) {
	inspected := func(running bool, id string) container.InspectResponse {
		return container.InspectResponse{
			ContainerJSONBase: &container.ContainerJSONBase{State: &container.State{Running: running}},
			NetworkSettings: &container.NetworkSettings{Networks: map[string]*network.EndpointSettings{
				"default": {NetworkID: id, IPAddress: "192.0.2.3"},
			}},
		}
	}
	const unknown = "00000000000000000000"
	here, elsewhere := place{host: loopback}, place{host: "192.0.2.7", remote: true}
	for name, test := range map[string]struct {
		place     place
		container container.InspectResponse
	}{
		"no interface of its network": {here, inspected(true, unknown)},
		"a network without an id":     {here, inspected(true, "")},
		"a container that has ended":  {here, inspected(false, unknown)},
		"another machine":             {elsewhere, inspected(true, unknown)},
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, test.place.bridged(test.container)) })
	}
}

func TestBridgeLeadsToItsSubnet(t *testing.T) {
	address := func(cidr string) net.Addr {
		ip, subnet, err := net.ParseCIDR(cidr)
		require.NoError(t, err)
		return &net.IPNet{IP: ip, Mask: subnet.Mask}
	}
	for name, test := range map[string]struct {
		addresses []net.Addr
		want      bool
	}{
		"the gateway's":         {[]net.Addr{address("fe80::1/64"), address("192.0.2.1/24")}, true},
		"none":                  {nil, false},
		"of another subnet":     {[]net.Addr{address("198.51.100.1/24")}, false},
		"of the link alone, v6": {[]net.Addr{address("fe80::1/64")}, false},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, leads(test.addresses, "192.0.2.3")) })
	}
}
