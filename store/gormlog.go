package store

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowQuery is from when on a query is worth a line.
const slowQuery = 250 * time.Millisecond

// slowLog is GORM's logger: it tells of slow queries, without their parameters, and of nothing else,
// since every error is returned to somebody who knows what it means.
type slowLog struct{ log *slog.Logger }

var _ logger.Interface = slowLog{}

// LogMode implements logger.Interface; the level is the slog handler's.
func (l slowLog) LogMode(logger.LogLevel) logger.Interface { return l }

// Info implements logger.Interface.
func (slowLog) Info(context.Context, string, ...any) {}

// Warn implements logger.Interface.
func (slowLog) Warn(context.Context, string, ...any) {}

// Error implements logger.Interface.
func (slowLog) Error(context.Context, string, ...any) {}

// Trace implements logger.Interface.
func (l slowLog) Trace(ctx context.Context, begin time.Time, query func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < slowQuery || !l.log.Enabled(ctx, slog.LevelWarn) {
		return
	}
	text, rows := query()
	l.log.WarnContext(ctx, "slow query", "sql", text, "rows", rows, "took", took)
}

// ParamsFilter keeps the parameters, which are people's words, out of the text.
func (slowLog) ParamsFilter(_ context.Context, query string, _ ...any) (string, []any) {
	return query, nil
}
