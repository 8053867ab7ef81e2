"""The pages about followers: the list, one person, erasures, growth."""
