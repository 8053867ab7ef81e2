"""The targets of the fuzzer, one file each; each has a constant `TARGET`."""
