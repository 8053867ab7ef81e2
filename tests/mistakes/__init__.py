"""What is said about mistakes of operators and integrators, as tables."""
