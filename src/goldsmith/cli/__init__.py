"""The command line: one file for each noun, thin, over the same services as the pages."""
