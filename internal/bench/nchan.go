package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// nchan is nginx with its module for fan-out, as Debian has them.
type nchan struct {
	program string
	module  string
}

func (n *nchan) name() string { return nameNchan }

// findNchan looks where Debian puts nginx, which only root has on the PATH, and its modules.
func findNchan() (*nchan, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		return nil, errors.New("there is no nginx (Debian: apt install nginx libnginx-mod-nchan)")
	}
	for _, dir := range []string{"/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules"} {
		module := filepath.Join(dir, "ngx_nchan_module.so")
		if _, err := os.Stat(module); err == nil {
			return &nchan{program: program, module: module}, nil
		}
	}
	return nil, errors.New("nginx is there, but not its module (Debian: apt install libnginx-mod-nchan)")
}

func (n *nchan) start(ctx context.Context, dir string) (target, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(n.configuration(dir, addr)), 0o600); err != nil {
		return nil, err
	}
	c, err := startChild(ctx, nameNchan, addr, n.program, []string{"-e", "stderr", "-p", dir, "-c", file}, plainEnvironment())
	if err != nil {
		return nil, err
	}
	return &openDoor{child: c}, nil
}

// configuration is nchan with its defaults, but that it keeps enough messages for streams that come back.
func (n *nchan) configuration(dir, addr string) string {
	user := ""
	if os.Getuid() == 0 { // else its workers are somebody who cannot come into dir
		user = "user root;"
	}
	paths := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		paths += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	return fmt.Sprintf(`load_module %s;
daemon off;
%s
worker_processes %d;
worker_rlimit_nofile %d;
error_log stderr error;
pid %s;
events { worker_connections %d; }
http {
access_log off;
keepalive_requests 1000000000;
%snchan_shared_memory_size 512M;
server {
listen %s backlog=4096;
location ~ ^/pub/(\w+)$ { nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 2000; nchan_message_timeout 5m; }
location ~ ^/sub/(\w+)$ { nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; }
}
}
`, n.module, user, runtime.NumCPU(), fileLimit(), filepath.Join(dir, "pid"), fileLimit(), paths, addr)
}
