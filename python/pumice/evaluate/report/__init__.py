"""What is shown of an evaluation: a table for a terminal, and a page with plots."""
