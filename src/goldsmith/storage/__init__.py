"""Where things are kept: the database, the files, the clock and the ids. Knows no step of the loop."""
