"""What `make demo` shows: sample data written for it, and the words of the story around them."""
