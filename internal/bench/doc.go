// Package bench is `parley bench`: it measures Parley beside its peers on one machine, and counts every delivery.
//
// Each peer is a process of its own on loopback, started anew for each run of each workload, so that nothing of one run is
// left for the next. The runs are interleaved (parley, floor, nchan, then again), since the rates of a shared machine drift: only
// ratios inside one round mean something. Load comes from this process over raw connections, at a few microseconds a
// delivery.
//
// Every message's text carries its number. The ledger knows when each message was due, which streams are owed it, and what
// each stream got in which order: what is missing, doubled or out of order is a failure of the run, however fast it was.
package bench
