package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryTellsOfEachFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		var waits []time.Duration
		tries := 0
		began := time.Now()
		err := Retry(t.Context(), func(context.Context) error {
			if tries++; tries < 4 {
				return down
			}
			return nil
		}, func(err error, wait time.Duration) {
			if !errors.Is(err, down) {
				t.Errorf("told of %v", err)
			}
			waits = append(waits, wait)
		})
		if err != nil || tries != 4 || len(waits) != 3 || time.Since(began) != waits[0]+waits[1]+waits[2] {
			t.Errorf("%v after %d tries, in %s, with pauses %v", err, tries, time.Since(began), waits)
		}
		ctx, cancel := context.WithCancel(t.Context())
		told := 0
		err = Retry(ctx, func(context.Context) error {
			cancel()
			return down
		}, func(error, time.Duration) { told++ })
		if !errors.Is(err, context.Canceled) || !errors.Is(err, down) || told != 0 {
			t.Errorf("after the end: %v, told %d times", err, told)
		}
	})
}
