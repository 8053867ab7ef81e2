"""The pages about notices: templates and figures, a new send to an audience, one send."""
