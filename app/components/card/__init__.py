"""The card of the Label page."""
