package config

// BackupArgs is what `parley backup` is told.
type BackupArgs struct {
	File     string `arg:"" placeholder:"FILE" help:"File to write. One that exists is never overwritten."`
	Data     string `default:"./data" placeholder:"DIR" help:"Data directory; a server may be using it."`
	Database Secret `placeholder:"URL" help:"Not for backups: PostgreSQL has tools of its own."`
}

// RestoreArgs is what `parley restore` is told.
type RestoreArgs struct {
	File     string `arg:"" optional:"" placeholder:"FILE" help:"Backup to put into the data directory. Without it, the database that is there already is marked as restored."`
	Data     string `default:"./data" placeholder:"DIR" help:"Data directory; no server may be using it."`
	Database Secret `placeholder:"URL" help:"PostgreSQL database that a dump was loaded into, to be marked as restored."`
	Force    bool   `help:"Replace a database that is there; it is kept under another name."`
}

// CheckArgs is what `parley check` is told.
type CheckArgs struct {
	File     string `arg:"" optional:"" placeholder:"FILE" help:"Backup to look through, instead of the data directory."`
	Data     string `default:"./data" placeholder:"DIR" help:"Data directory; a server may be using it."`
	Database Secret `placeholder:"URL" help:"postgres:// URL of the database. Empty: SQLite in the data directory."`
}

// Check says what is wrong with the arguments, as a UsageError.
func (a BackupArgs) Check() error {
	if a.Database != "" {
		return &UsageError{Flag: "database", Reason: `PostgreSQL is backed up by its own tools: pg_dump --format=custom --file=FILE "$URL"`}
	}
	return checkPlace(a.Data, "", "")
}

// Check says what is wrong with the arguments, as a UsageError.
func (a RestoreArgs) Check() error {
	switch {
	case a.Database != "" && a.File != "":
		return &UsageError{Flag: "database", Reason: "goes without a FILE: load the dump with pg_restore, then run parley restore --database URL"}
	case a.Force && a.File == "":
		return &UsageError{Flag: "force", Reason: "goes with a FILE: nothing is replaced without one"}
	}
	return checkPlace(a.Data, a.Database, "")
}

// Check says what is wrong with the arguments, as a UsageError.
func (a CheckArgs) Check() error { return checkPlace(a.Data, a.Database, a.File) }

func checkPlace(dir string, database Secret, file string) error {
	if reason := checkDir(dir); reason != "" {
		return &UsageError{Flag: "data", Reason: reason}
	}
	if reason := checkDatabase(database); reason != "" {
		return &UsageError{Flag: "database", Reason: reason}
	}
	if database != "" && file != "" {
		return &UsageError{Flag: "database", Reason: "is one place to look at and FILE another: name one of them"}
	}
	return nil
}
