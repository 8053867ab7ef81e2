"""The console's pages about links into mini-programs: the list with its form, and one link."""
