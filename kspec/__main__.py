"""`python -m kspec`."""

from kspec.cli import main

if __name__ == "__main__":
    main()
