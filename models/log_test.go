package models

import "testing"

func TestExpired(t *testing.T) {
	t.Parallel()
	holes := []Hole{{After: 10, Before: 100}, {After: 110, Before: 200}}
	for _, tt := range []struct {
		oldest  int64
		holes   []Hole
		good    []int64
		expired []int64
	}{
		{1, nil, []int64{0, 1, 100, 210}, []int64{211}},
		{50, nil, []int64{0, 49, 50, 210}, []int64{1, 48, 211}},
		{211, nil, []int64{0, 210}, []int64{209, 211}}, // nothing is kept, and nothing came since
		{1, holes, []int64{0, 1, 10, 100, 110, 200, 210}, []int64{11, 99, 111, 199, 211}},
		{10, holes, []int64{0, 9, 10, 100}, []int64{8, 11, 99}},
		{100, holes, []int64{0, 10, 100}, []int64{9, 11, 99}}, // 10: the next one after it is kept
		{101, holes[1:], []int64{0, 100, 110}, []int64{10, 99, 111}},
	} {
		s := Standing{Head: 210, Oldest: tt.oldest, Holes: tt.holes}
		for _, c := range tt.good {
			if s.Expired(c) {
				t.Errorf("%+v: %d has expired", s, c)
			}
		}
		for _, c := range tt.expired {
			if !s.Expired(c) {
				t.Errorf("%+v: %d is good", s, c)
			}
		}
	}
}
