"""The figures, by subject. Each module has functions that take a `benchmarks.plan.Plan` and yield `Figure`."""
