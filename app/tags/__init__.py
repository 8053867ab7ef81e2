"""Tags of followers: the account's tags, who has which, and jobs that tag many people."""
