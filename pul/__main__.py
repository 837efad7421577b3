"""`python -m pul`: the command line."""

from pul.cli import main

if __name__ == "__main__":
    main()
