package tests

import "strconv"

// id writes an id as paths and forms have it.
func id(n int64) string { return strconv.FormatInt(n, 10) }
