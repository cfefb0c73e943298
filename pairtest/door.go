package pairtest

import (
	"errors"
	"io/fs"
	"net"
	"os"
)

// door is the socket at which a holder is found.
type door struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

func (m place) open() (*door, error) {
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: m.socket(), Net: "unix"})
	if err != nil {
		return nil, err
	}
	unix.SetUnlinkOnClose(false) // by its path, whoever's it is by then
	made, err := os.Lstat(m.socket())
	if err != nil {
		return nil, errors.Join(err, unix.Close())
	}
	return &door{UnixListener: unix, path: m.socket(), made: made}, nil
}

// Close removes the socket too, unless another holder has put its own there.
func (d *door) Close() error {
	err := d.UnixListener.Close()
	if now, gone := os.Lstat(d.path); gone == nil && os.SameFile(now, d.made) {
		err = errors.Join(err, os.Remove(d.path))
	}
	return err
}
