"""What the benchmarks of serving share: a big invented city, servers to compare, a load generator."""
