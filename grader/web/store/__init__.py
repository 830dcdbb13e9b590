"""What the service remembers, in the gradebook's database and beside it in files.

`store` is its face; below it, on one session of the database each: `courses`, `people`, `attempts`, `jobs`, `deliveries`, `standing`,
`platforms`, `regrades` with `trials` and `previews`, `reviews`, `sheets`.
"""
