// Package durable writes small files that are whole at any moment: whoever reads sees the former content or the new
// one, also after a crash of the machine.
package durable
