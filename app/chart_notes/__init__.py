"""What happened on the days of a chart: notes of operators, and what the service knows itself."""
