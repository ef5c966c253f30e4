"""The figures that docs/benchmarks.md claims, measured: `make bench`."""
