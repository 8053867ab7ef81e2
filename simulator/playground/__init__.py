"""`make run`: the whole service on one machine, connected to the simulator."""
