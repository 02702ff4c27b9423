package config

import (
	"io"
	"strings"
	"testing"
)

func TestParseCareOfData(t *testing.T) {
	t.Parallel()
	const url = "postgres://u:hunter2@h/x"
	tests := []struct {
		args string
		want Invocation
		err  string
	}{
		{args: "backup f", want: Invocation{Command: Backup, Backup: BackupArgs{File: "f", Data: "./data"}}},
		{args: "backup --data d f", want: Invocation{Command: Backup, Backup: BackupArgs{File: "f", Data: "d"}}},
		{args: "backup", err: "name a FILE"},
		{args: "backup f g", err: "unexpected argument g"},
		{args: "backup f --database " + url, err: "pg_dump"},
		{args: "backup f --data=", err: "--data: must name a directory"},
		{args: "restore f --force", want: Invocation{Command: Restore, Restore: RestoreArgs{File: "f", Data: "./data", Force: true}}},
		{args: "restore", want: Invocation{Command: Restore, Restore: RestoreArgs{Data: "./data"}}},
		{args: "restore --database " + url, want: Invocation{Command: Restore, Restore: RestoreArgs{Data: "./data", Database: url}}},
		{args: "restore f --database " + url, err: "goes without a FILE"},
		{args: "restore --force", err: "--force: goes with a FILE"},
		{args: "check", want: Invocation{Command: Check, Check: CheckArgs{Data: "./data"}}},
		{args: "check f", want: Invocation{Command: Check, Check: CheckArgs{File: "f", Data: "./data"}}},
		{args: "check --database mysql://h", err: "--database: must be a URL"},
		{args: "check f --database " + url, err: "name one of them"},
	}
	for _, tt := range tests {
		got, err := Parse(strings.Fields(tt.args), nil, io.Discard)
		switch {
		case tt.err == "" && err != nil, tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: %v, want %q", tt.args, err, tt.err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the error shows the password: %v", tt.args, err)
		case err == nil && (got.Command != tt.want.Command || got.Backup != tt.want.Backup || got.Restore != tt.want.Restore || got.Check != tt.want.Check):
			t.Errorf("%s: %+v, want %+v", tt.args, got, tt.want)
		}
	}
	in, err := Parse([]string{"backup", "f"}, []string{"PARLEY_DATA=elsewhere"}, io.Discard)
	if err != nil || in.Backup.Data != "elsewhere" {
		t.Errorf("from the environment: %+v, %v", in.Backup, err)
	}
}
