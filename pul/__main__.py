"""`python -m pul`: the command line."""

from pul.cli.main import main

if __name__ == "__main__":
    main()
