"""What is known of a submission when its mistakes are looked for: its source, and what its run showed."""
