"""Links into mini-programs: one short URL of ours for each, with a URL Link that never ends."""
