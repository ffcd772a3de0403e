// Package tests holds what spans packages: the import rules, and the whole
// chat deployed by the real Pulumi engine to the local cloud, driven by clients
// that are not ours.
package tests
