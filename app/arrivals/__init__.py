"""Reports of mini-programs that somebody arrived or converted, and which door of ours led there."""
