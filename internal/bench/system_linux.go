package bench

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// syncData is fdatasync, by which databases make a commit durable.
func syncData(file *os.File) error { return unix.Fdatasync(int(file.Fd())) }

// inMemory says whether a directory is on a file system that has no disk.
func inMemory(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && (fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC)
}

// fileLimit is how many files a process may have open here. Go raises its own processes to that by itself.
func fileLimit() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Max, 1<<20))
}

// kernel is the system's name and version.
func kernel() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(name.Release[:])
}

// diskDir gives the first usual place for temporary files that is on a disk, or the usual one.
func diskDir() string {
	places := []string{os.TempDir(), "/var/tmp"}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, cache)
	}
	for _, dir := range places {
		if info, err := os.Stat(filepath.Clean(dir)); err == nil && info.IsDir() && !inMemory(dir) {
			return dir
		}
	}
	return os.TempDir()
}
