"""What the project is checked and measured with: source checks, twins, conformance vectors, benchmarks."""
