"""`make fuzz`: inputs that nobody thought of, for all that reads what comes from outside."""
