"""The console's pages about custom menus: the editor with its preview, the difference, versions."""
