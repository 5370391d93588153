"""The benchmark: devshim beside the kernel, a bare pseudo-terminal and umockdev, in one run, as ratios (README.md)."""
