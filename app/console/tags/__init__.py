"""The console's pages about tags: the list with its forms, one tag, one run."""
