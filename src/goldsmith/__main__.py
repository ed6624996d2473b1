"""`python -m goldsmith` is the command line."""

from goldsmith.cli.main import main

if __name__ == "__main__":
    main()
