package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk lets no file grow while people talk: what does not fit is answered 503, what needs no room works, and when there
// is room again all goes on; once the server is killed while it is full.
func TestFullDisk(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 3, "--max-message-bytes", fmt.Sprint(1<<20))
		dice := diceFor(t, "disk")
		d := &disk{scene: s}
		d.fill()
		s.crowd()
		s.act(d.talkAtLength)
		for round := range more(2) {
			s.must(s.rec.grow(s.ctx, 50+dice.Int64N(50)))
			d.full(true)
			s.must(s.rec.happens(s.ctx, "503", 15))
			d.stillReads()
			if round%2 == 1 {
				s.server.kill()
			}
			d.full(false)
			if round%2 == 1 {
				s.server.start()
			}
		}
		s.must(s.rec.grow(s.ctx, 100))
		s.verify(s.finish(), "unavailable", "cannot", "full", "again")
	})
}

// disk is the room that the database's files have. It is made small by a limit on the size of files of the process that
// writes them: the server with SQLite, its connections' processes with PostgreSQL.
type disk struct{ *scene }

// fill makes PostgreSQL's tables larger than the segments of its write-ahead log, which no limit may hit: that would stop the
// whole of it, and other tests' databases with it.
func (d *disk) fill() {
	d.t.Helper()
	if d.db.dsn == "" {
		return
	}
	d.open("ballast", d.owners[0], false)
	room := d.rooms[len(d.rooms)-1]
	d.rooms = d.rooms[:len(d.rooms)-1]
	for range 20 {
		_, err := d.owners[0].say(d.ctx, roomTarget(room.id), d.owners[0].words()+" "+noise(d.owners[0].dice, 1_000_000))
		d.must(err)
	}
}

// noise is a text that does not become much shorter by compression.
func noise(dice *rand.Rand, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(letters[dice.IntN(len(letters))])
	}
	return b.String()
}

// talkAtLength says what takes room, so that a small disk is full soon.
func (d *disk) talkAtLength(ctx context.Context) error {
	p := d.admin // who says nothing else
	for !d.stopped() {
		if _, err := p.say(ctx, roomTarget(lobby), p.words()+" "+noise(p.dice, 20_000)); err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// full lets files grow no more, or again.
func (d *disk) full(yes bool) {
	d.t.Helper()
	limit := uint64(unix.RLIM_INFINITY)
	if yes {
		limit = d.size()
	}
	for _, pid := range d.writers() {
		if err := limitFiles(pid, limit); err != nil {
			d.t.Fatalf("limit the size of files of process %d: %v", pid, err)
		}
	}
}

// limitFiles sets the soft limit of another process. PostgreSQL may be another user, who alone may do that.
func limitFiles(pid int, bytes uint64) error {
	text := "unlimited"
	if bytes != unix.RLIM_INFINITY {
		text = fmt.Sprint(bytes)
	}
	cmd := exec.Command("prlimit", "--pid", fmt.Sprint(pid), "--fsize="+text+":")
	var owner unix.Stat_t
	if gone := unix.Stat(fmt.Sprintf("/proc/%d", pid), &owner); errors.Is(gone, unix.ENOENT) {
		return nil
	}
	if int(owner.Uid) != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(out), "No such process") {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// size is what files may have: a little more than they do.
func (d *disk) size() (most uint64) {
	d.t.Helper()
	const little = 64 << 10
	if d.db.dsn != "" {
		return 16 << 20 // a segment of the write-ahead log
	}
	for _, name := range []string{d.db.file(), d.db.file() + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			d.t.Fatal(err)
		}
		most = max(most, uint64(info.Size())+little)
	}
	return most
}

// writers are the processes that write the database's files.
func (d *disk) writers() []int {
	d.t.Helper()
	if d.db.dsn == "" {
		return []int{d.server.pid()}
	}
	return d.db.backends()
}

// stillReads demands that what needs no writing works.
func (d *disk) stillReads() {
	d.t.Helper()
	for _, path := range []string{"/healthz", "/readyz", "/v1/me", "/v1/rooms", "/v1/rooms/lobby/messages?limit=5", "/v1/events?wait=0"} {
		a, err := d.owners[0].try(d.ctx, http.MethodGet, path, nil)
		if err != nil || a.status != http.StatusOK {
			d.t.Errorf("GET %s while the disk is full: %d %v %.300s", path, a.status, err, a.body)
		}
	}
}
