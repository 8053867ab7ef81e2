"""The console's pages about campaigns: the list with its form, one campaign with its codes."""
